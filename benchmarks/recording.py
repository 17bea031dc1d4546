"""A store that counts what goes through it: round trips, and bytes of keys and values."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from bps.core.ports import (
    Capability,
    Key,
    Lease,
    MemberStatus,
    Page,
    Read,
    Snapshot,
    Store,
    WatchBatch,
)
from bps.core.txn import KV, Committed, Conflict, Put, Txn


@dataclass(slots=True)
class Traffic:
    """Sums since the last `reset`; bytes are those of keys and values."""

    round_trips: int = 0
    sent_bytes: int = 0
    read_bytes: int = 0
    reads: list[tuple[Read, ...]] = field(default_factory=list)
    txns: list[Txn] = field(default_factory=list)

    def reset(self) -> None:
        """Start counting anew."""
        self.round_trips = self.sent_bytes = self.read_bytes = 0
        self.reads, self.txns = [], []

    @property
    def counted(self) -> tuple[int, int, int]:
        """Round trips, bytes sent, bytes read."""
        return self.round_trips, self.sent_bytes, self.read_bytes


class RecordingStore:
    """Implements `Store` by another one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.traffic = Traffic()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """See `Store.capabilities`."""
        return self._store.capabilities

    def _answered(self, kvs: Sequence[KV]) -> None:
        self.traffic.read_bytes += sum(len(kv.key) + len(kv.value) for kv in kvs)

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        """See `Store.snapshot`."""
        self.traffic.round_trips += 1
        self.traffic.sent_bytes += sum(
            len(read.key if isinstance(read, Key) else read.prefix) for read in reads
        )
        self.traffic.reads.append(tuple(reads))
        snapshot = await self._store.snapshot(reads, serializable=serializable, at_least=at_least)
        for kvs in snapshot.answers:
            self._answered(kvs)
        return snapshot

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """See `Store.commit`."""
        self.traffic.round_trips += 1
        self.traffic.sent_bytes += sum(len(compare.key) for compare in txn.compares)
        self.traffic.sent_bytes += sum(
            len(op.key) + (len(op.value) if isinstance(op, Put) else 0) for op in txn.operations
        )
        self.traffic.txns.append(txn)
        return await self._store.commit(txn)

    async def page(
        self,
        start: bytes,
        end: bytes,
        *,
        limit: int,
        revision: int = 0,
        keys_only: bool = False,
        serializable: bool = False,
        at_least: int = 0,
    ) -> Page:
        """See `Store.page`."""
        self.traffic.round_trips += 1
        page = await self._store.page(
            start,
            end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
            at_least=at_least,
        )
        self._answered(page.kvs)
        return page

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """See `Store.count`."""
        self.traffic.round_trips += 1
        return await self._store.count(prefix, revision=revision)

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """See `Store.watch`."""
        return self._store.watch(prefix, start_revision=start_revision)

    async def lease_grant(self, ttl_s: int) -> Lease:
        """See `Store.lease_grant`; leases are not counted."""
        return await self._store.lease_grant(ttl_s)

    async def lease_keepalive(self, lease_id: int) -> int:
        """See `Store.lease_keepalive`."""
        return await self._store.lease_keepalive(lease_id)

    async def lease_revoke(self, lease_id: int) -> None:
        """See `Store.lease_revoke`."""
        await self._store.lease_revoke(lease_id)

    async def status(self) -> tuple[MemberStatus, ...]:
        """See `Store.status`."""
        return await self._store.status()

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        await self._store.compact(revision)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._store.close()
