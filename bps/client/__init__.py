"""A typed client of the HTTP API, for programs and for the command line."""
