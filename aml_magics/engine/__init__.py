"""Clock, pollers and a durable ledger: turns triggers into fires, each claimed once. It does not know what it fires."""
