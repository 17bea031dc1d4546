"""Writes of one plan wait for each other, and not beyond their deadlines."""

from __future__ import annotations

import asyncio

import pytest

from bps.clock import SystemClock
from bps.core.errors import Overloaded
from bps.core.ports import Store
from bps.core.txn import Committed, Conflict, Txn
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from bps.setup.initialise import Initialise
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.doubles.authority import HeldAuthority
from tests.doubles.forwarding_store import ForwardingStore


class _HangingStore(ForwardingStore):
    """Commits wait for `go`; `waiting` tells that one does."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.go = asyncio.Event()
        self.go.set()
        self.waiting = False

    async def commit(self, txn: Txn) -> Committed | Conflict:
        self.waiting = not self.go.is_set()
        await self.go.wait()
        return await super().commit(txn)


@asynchronous
async def test_a_write_behind_one_that_hangs_is_refused_at_its_deadline() -> None:
    clock = SystemClock()
    store = _HangingStore(MemoryStore(clock))
    path = WritePath(store, await HeldAuthority.take(store), clock)
    await path.execute(Initialise("tester", "initialise"))
    blueprint = pack(b"title: v1\n")
    store.go.clear()
    first = RegisterPlan("tester", "op-1", "EP-1", "default", "title", blueprint)
    hanging = asyncio.create_task(path.execute(first))

    async def hangs() -> bool:
        return store.waiting

    await eventually(hangs, "the first write hangs")
    second = RegisterPlan("tester", "op-2", "EP-1", "default", "title", blueprint)
    begun_s = clock.monotonic_s()
    with pytest.raises(Overloaded, match="Nothing was written"):
        await path.execute(second, deadline_s=begun_s + 0.1)
    assert clock.monotonic_s() - begun_s < 2
    store.go.set()
    assert (await hanging).how == "committed"
    assert (await path.execute(second, deadline_s=clock.monotonic_s() + 5)).how == "noop"
