"""Tests of the bundled validators."""
