"""The registry of Ed25519 keys: who may sign, and how keys are replaced."""
