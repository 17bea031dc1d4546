"""Initiatives: what plans belong to, and what governance is about."""
