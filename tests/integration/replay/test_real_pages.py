"""Proofs over several pages of a real etcd, while another process writes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from bps.core.errors import Compacted
from bps.core.txn import Delete, Put, Txn
from bps.replay.events import read_events
from bps.replay.log import PAGE_EVENTS, pin
from bps.replay.replay import replay
from bps.replay.verify import checked_events, verify
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous
from tests.cluster import EtcdCluster
from tests.doubles import PLAN, Scene
from tests.unit.replay.history import KEYS, Records, records_of

pytestmark = pytest.mark.cluster

EVENTS = 2 * PAGE_EVENTS + 1


async def _long() -> Records:
    scene = await Scene.make(content=b"name: x\n")
    for n in range(1, EVENTS):
        await scene.open(f"T{n}", "one root cause")
    return await records_of(scene)


@asynchronous
async def test_proofs_of_three_pages_at_one_revision(fresh_cluster: EtcdCluster) -> None:
    records = await _long()
    items = [Put(key, value) for key, value in records.items()]
    async with EtcdStore(fresh_cluster.endpoints) as store:
        for start in range(0, len(items), 120):
            await store.commit(Txn((), tuple(items[start : start + 120])))
        log = await pin(store, PLAN)
        assert (await verify(store, PLAN)).events == EVENTS
        assert (await replay(store, PLAN)).events == EVENTS
        async with aclosing(read_events(store, PLAN, PAGE_EVENTS)) as events:
            shown = [int(event.id) async for event in events]
        assert shown == [*range(PAGE_EVENTS, EVENTS + 1)]

        # What happens after the pin is not seen: not even that all of the log is gone.
        async with aclosing(checked_events(store, log)) as checked:
            first = await anext(checked)
            for start in range(0, len(items), 120):
                deletes = (Delete(item.key) for item in items[start : start + 120])
                await store.commit(Txn((), tuple(deletes)))
            rest = [event.seq async for event in checked]
        assert [first.seq, *rest] == [*range(1, EVENTS + 1)]
        assert await store.count(KEYS.root) == 0

        await store.compact(log.revision + 1)
        with pytest.raises(Compacted):
            async with aclosing(checked_events(store, log)) as checked:
                await asyncio.wait_for(anext(checked), 20)
