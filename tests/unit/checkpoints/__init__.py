"""Checkpoints: the chain, its proofs, the mirror, and what each of them notices."""
