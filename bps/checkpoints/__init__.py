"""Signed checkpoints of all heads: what shows truncation, rewriting and restored snapshots."""
