"""What a datastore promises."""
