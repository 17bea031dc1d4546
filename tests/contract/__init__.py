"""The API against its own OpenAPI document, against bad input, and against a model of itself."""
