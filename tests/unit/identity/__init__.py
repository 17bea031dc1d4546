"""Tests of `bps.identity`."""
