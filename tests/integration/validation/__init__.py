"""Validators of separate distributions, run in real worker processes."""
