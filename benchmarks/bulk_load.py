"""Filling a store with records, many to a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.writer import in_flight
from bps.core.ports import Store
from bps.core.txn import MAX_OPERATIONS, Put, Txn

_TXN_BYTES = 1_000_000
_IN_FLIGHT = 4


async def bulk_load(store: Store, puts: Iterable[Put]) -> None:
    """Write all `puts`, whose keys differ, in no given order."""
    await in_flight(_batches(puts), store.commit, _IN_FLIGHT)


def _batches(puts: Iterable[Put]) -> Iterator[Txn]:
    batch: list[Put] = []
    size = 0
    for put in puts:
        if len(batch) == MAX_OPERATIONS or (batch and size + len(put.value) > _TXN_BYTES):
            yield Txn((), tuple(batch))
            batch, size = [], 0
        batch.append(put)
        size += len(put.key) + len(put.value)
    if batch:
        yield Txn((), tuple(batch))
