"""First use of an empty store."""
