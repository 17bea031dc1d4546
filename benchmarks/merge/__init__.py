"""Benchmarks of the merge: beside ruamel.yaml's round trip, git merge-file and mergiraf."""
