"""Tests of the documentation: it is complete, up to date, and its commands run."""
