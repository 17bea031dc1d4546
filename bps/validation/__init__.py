"""Semantic validators: the plugin API, their registry, and the worker process that runs them."""
