"""One memory store on virtual time, whose keepalives can be held up, and who campaigns on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bps.core import keys
from bps.core.errors import (
    Unavailable,
)
from bps.core.ports import Store
from bps.core.txn import Committed, Conflict, Put, Txn
from bps.leadership.election import (
    Holder,
    Leadership,
)
from bps.leadership.validity import SAFETY_MARGIN
from bps.store.memory import MemoryStore
from tests.doubles import ManualClock
from tests.doubles.forwarding_store import ForwardingStore

TTL_S = 10
VALID_S = TTL_S * (1 - SAFETY_MARGIN)


class SlowKeepalives(ForwardingStore):
    """Keepalives reach the store at once; their replies wait, or the store cannot be reached."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.hold: asyncio.Event | None = None
        self.failing = False
        self.sent = 0

    async def lease_keepalive(self, lease_id: int) -> int:
        self.sent += 1
        if self.failing:
            raise Unavailable("No answer to a keepalive.")
        ttl_s = await super().lease_keepalive(lease_id)
        if self.hold is not None:
            await self.hold.wait()
        return ttl_s


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.memory = MemoryStore(self.clock)
        self.store = SlowKeepalives(self.memory)

    def candidate(self, name: str = "one", store: Store | None = None) -> Leadership:
        return Leadership(store or self.store, self.clock, name, ttl_s=TTL_S)

    async def holder(self) -> str | None:
        kvs = (await self.memory.page(keys.LEADER_HOLDER, b"\0", limit=1)).kvs
        return Holder.decode(kvs[0].value).sidecar if kvs else None


@asynccontextmanager
async def leading(world: World, name: str = "one") -> AsyncIterator[Leadership]:
    async with world.candidate(name) as leadership:
        await leadership.campaign(0)
        yield leadership


async def write(store: Store, leadership: Leadership) -> Committed | Conflict:
    return await store.commit(Txn((leadership.fence().compare,), (Put(b"/written", b""),)))
