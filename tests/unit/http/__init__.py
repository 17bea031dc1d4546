"""Tests of the HTTP routes on a memory store."""
