"""Promotion: the one slice that writes the canonical pointer."""
