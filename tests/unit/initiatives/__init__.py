"""Tests of `bps.initiatives`."""
