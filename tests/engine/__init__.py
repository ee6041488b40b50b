"""What the engine promises, mostly on a clock that a test moves and datastores in memory; a few on real ones."""
