"""The memory adapter: the model of the store, for tests and simulations."""

from bps.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
