"""A store that hands every call on; the other stores change what they need to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from bps.core.ports import Capability, Lease, MemberStatus, Page, Read, Snapshot, Store, WatchBatch
from bps.core.txn import Committed, Conflict, Txn


class ForwardingStore:
    """Implements `Store` by another one."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.inner.capabilities

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        return await self.inner.snapshot(reads, serializable=serializable, at_least=at_least)

    async def commit(self, txn: Txn) -> Committed | Conflict:
        return await self.inner.commit(txn)

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
        return await self.inner.page(
            start,
            end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
            at_least=at_least,
        )

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        return await self.inner.count(prefix, revision=revision)

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        return self.inner.watch(prefix, start_revision=start_revision)

    async def lease_grant(self, ttl_s: int) -> Lease:
        return await self.inner.lease_grant(ttl_s)

    async def lease_keepalive(self, lease_id: int) -> int:
        return await self.inner.lease_keepalive(lease_id)

    async def lease_revoke(self, lease_id: int) -> None:
        await self.inner.lease_revoke(lease_id)

    async def status(self) -> tuple[MemberStatus, ...]:
        return await self.inner.status()

    async def compact(self, revision: int) -> None:
        await self.inner.compact(revision)

    async def close(self) -> None:
        await self.inner.close()
