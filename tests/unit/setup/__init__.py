"""Tests of `bps.setup`."""
