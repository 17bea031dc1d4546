"""Benchmarks: ratios against a baseline measured in the same run. No part of the tests."""
