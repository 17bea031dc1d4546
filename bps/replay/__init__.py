"""Proofs from the log: `verify` checks the chain, `replay` rebuilds the state from it."""
