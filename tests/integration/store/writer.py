"""Writes under faults, and what became of each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from bps.core.errors import OutcomeUnknown, Unavailable
from bps.core.ports import Prefix, Store
from bps.core.txn import Committed, Put, Txn, absent
from tests.cluster import EtcdCluster


def leader_first(cluster: EtcdCluster) -> tuple[int, list[str]]:
    """The leader's index, and the endpoints with its own before the others."""
    leader = cluster.leader_index()
    endpoints = list(cluster.endpoints)
    endpoints.insert(0, endpoints.pop(leader))
    return leader, endpoints


class Writer:
    """Writes new keys, each once, and remembers what it was told."""

    def __init__(self, store: Store) -> None:
        self.told: dict[bytes, str] = {}
        self.longest_s = 0.0
        self._store = store

    async def write(self) -> bool:
        """One write; whether it was committed."""
        key = b"/faults/%06d" % len(self.told)
        started = time.monotonic()
        try:
            done = await self._store.commit(Txn((absent(key),), (Put(key, b""),)))
            # A conflict here would mean that the write was sent twice.
            assert isinstance(done, Committed)
            self.told[key] = "committed"
        except Unavailable:
            self.told[key] = "not applied"
        except OutcomeUnknown:
            self.told[key] = "unknown"
        self.longest_s = max(self.longest_s, time.monotonic() - started)
        return self.told[key] == "committed"

    async def until_committed(self) -> bool:
        """For polling: False (after a breath) while the cluster does not commit."""
        committed = await self.write()
        if not committed:
            await asyncio.sleep(0.05)
        return committed

    async def check(self) -> Counter[str]:
        """Nothing committed is missing, nothing refused is there."""
        (answer,) = (await self._store.snapshot([Prefix(b"/faults/")])).answers
        stored = {kv.key for kv in answer}
        for key, told in self.told.items():
            assert told == "unknown" or (key in stored) == (told == "committed"), (key, told)
        return Counter(self.told.values())
