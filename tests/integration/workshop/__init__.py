"""Merges in worker processes of their own."""
