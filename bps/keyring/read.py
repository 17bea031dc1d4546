"""Reading the registry: for the edges and for whoever checks signatures."""

from __future__ import annotations

from bps.core.ports import Store
from bps.keyring.registry import Registry, registry_reads


async def read_registry(store: Store) -> Registry:
    """All keys and the counter at one revision. One round trip, at most 500 keys.

    Raises:
        MalformedRecord, SchemaTooNew: a stored key cannot be trusted.
    """
    return (await registry_at(store))[0]


async def registry_at(store: Store) -> tuple[Registry, int]:
    """As `read_registry`, and the revision at which it was read."""
    snapshot = await store.snapshot(registry_reads())
    counter, stored = snapshot.answers
    return Registry.from_stored(counter[0] if counter else None, stored), snapshot.revision
