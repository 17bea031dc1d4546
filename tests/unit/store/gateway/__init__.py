"""The gateway adapter, without a server."""
