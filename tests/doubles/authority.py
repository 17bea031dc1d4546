"""The right to write, without the election: for tests of what writes."""

from __future__ import annotations

from typing import Self

from bps.core import keys
from bps.core.errors import LeaseLost
from bps.core.ports import Store
from bps.core.txn import Committed, Delete, Fence, Put, Txn

_OPS_TTL_S = 90_000


class HeldAuthority:
    """Holds the leader's key without a lease until another one takes it.

    A former holder keeps its fence and does not know: only the store can refuse it.
    """

    def __init__(self, store: Store, fence: Fence, ops_lease_id: int) -> None:
        self._store = store
        self._fence = fence
        self._ops_lease_id = ops_lease_id
        self.renewals = 0
        #: Set to make the next request for the ops lease fail, as after a lost leadership.
        self.lost = False

    @classmethod
    async def take(cls, store: Store) -> Self:
        """Become the holder, whoever was it before."""
        await store.commit(Txn((), (Delete(keys.LEADER_HOLDER),)))
        taken = await store.commit(Txn((), (Put(keys.LEADER_HOLDER, b"{}"),)))
        assert isinstance(taken, Committed)
        lease = await store.lease_grant(_OPS_TTL_S)
        return cls(store, Fence(keys.LEADER_HOLDER, taken.revision), lease.lease_id)

    def fence(self) -> Fence:
        return self._fence

    async def ops_lease_id(self, *, renew: bool = False) -> int:
        if self.lost:
            raise LeaseLost("The leadership was lost.")
        if renew:
            self.renewals += 1
            self._ops_lease_id = (await self._store.lease_grant(_OPS_TTL_S)).lease_id
        return self._ops_lease_id
