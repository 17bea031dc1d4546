"""Tests of the validators' API, without processes."""
