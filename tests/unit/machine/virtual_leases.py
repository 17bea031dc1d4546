"""Leases in virtual time on a store whose own leases live in real time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bps.core.errors import LeaseNotFound
from bps.core.ports import Clock, Lease, Page, Read, Snapshot, Store
from bps.core.txn import Committed, Conflict, Txn
from tests.doubles.forwarding_store import ForwardingStore

_REAL_TTL_S = 86_400
_MIN_TTL_S = 2


class VirtualLeases(ForwardingStore):
    """Grants leases that outlive the test, and revokes them when `clock` has passed their time.

    So a script that expires a lease does the same here as on the memory store.
    """

    def __init__(self, inner: Store, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock
        self._ttl_s: dict[int, int] = {}
        self._renewed_s: dict[int, float] = {}

    async def snapshot(self, reads: Sequence[Read], **kinds: Any) -> Snapshot:
        await self._expire()
        return await super().snapshot(reads, **kinds)

    async def page(self, start: bytes, end: bytes, **kinds: Any) -> Page:
        await self._expire()
        return await super().page(start, end, **kinds)

    async def commit(self, txn: Txn) -> Committed | Conflict:
        await self._expire()
        return await super().commit(txn)

    async def lease_grant(self, ttl_s: int) -> Lease:
        await self._expire()
        granted = await super().lease_grant(_REAL_TTL_S)
        self._ttl_s[granted.lease_id] = max(ttl_s, _MIN_TTL_S)
        self._renewed_s[granted.lease_id] = self._clock.monotonic_s()
        return Lease(granted.lease_id, self._ttl_s[granted.lease_id])

    async def lease_keepalive(self, lease_id: int) -> int:
        await self._expire()
        if lease_id not in self._ttl_s:
            raise LeaseNotFound("The lease is gone.")
        self._renewed_s[lease_id] = self._clock.monotonic_s()
        return self._ttl_s[lease_id]

    async def lease_revoke(self, lease_id: int) -> None:
        self._ttl_s.pop(lease_id, None)
        await super().lease_revoke(lease_id)

    async def _expire(self) -> None:
        now_s = self._clock.monotonic_s()
        gone = [i for i, ttl_s in self._ttl_s.items() if self._renewed_s[i] + ttl_s <= now_s]
        for lease_id in gone:
            await self.lease_revoke(lease_id)
