"""The reference page: static HTML made from the OpenAPI document, without scripts."""
