"""A store that counts what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from bps.core.ports import Lease, Page, Read, Snapshot, Store
from bps.core.txn import Committed, Conflict, Txn
from tests.doubles.forwarding_store import ForwardingStore


class RecordingStore(ForwardingStore):
    """Records each call in `calls` by its name; each is one round trip. `txns` keeps the writes.

    `writes` are the transactions that were applied, each one Raft entry.
    """

    calls: list[str]
    txns: list[Txn]
    reads: list[Sequence[Read]]
    writes: int

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.reset()

    def reset(self) -> None:
        """Forget what was recorded so far."""
        self.calls, self.txns, self.reads, self.writes = [], [], [], 0

    @property
    def round_trips(self) -> int:
        """How many requests a client would have sent."""
        return len(self.calls)

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        self.calls.append("snapshot")
        self.reads.append(reads)
        return await super().snapshot(reads, serializable=serializable, at_least=at_least)

    async def commit(self, txn: Txn) -> Committed | Conflict:
        self.calls.append("commit")
        self.txns.append(txn)
        answer = await super().commit(txn)
        self.writes += isinstance(answer, Committed)
        return answer

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
        self.calls.append("page")
        return await super().page(
            start,
            end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
            at_least=at_least,
        )

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        self.calls.append("count")
        return await super().count(prefix, revision=revision)

    async def lease_grant(self, ttl_s: int) -> Lease:
        self.calls.append("lease_grant")
        return await super().lease_grant(ttl_s)

    async def lease_keepalive(self, lease_id: int) -> int:
        self.calls.append("lease_keepalive")
        return await super().lease_keepalive(lease_id)

    async def lease_revoke(self, lease_id: int) -> None:
        self.calls.append("lease_revoke")
        await super().lease_revoke(lease_id)
