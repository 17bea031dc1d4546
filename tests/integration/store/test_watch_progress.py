"""Progress marks and compaction under a watch."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from bps.core.errors import Compacted
from bps.core.txn import Put, Txn
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous
from tests.cluster.processes import newest_etcd
from tests.conformance.etcd_process import etcd_process
from tests.integration.store.lossy_proxy import lossy_proxy


async def put(store: EtcdStore, key: bytes) -> int:
    return (await store.commit(Txn((), (Put(key, b""),)))).revision


def test_an_idle_watch_progresses(tmp_path: Path) -> None:
    """So that it can be resumed after what it passed was compacted."""

    @asynchronous
    async def progress(endpoint: str) -> None:
        async with EtcdStore([endpoint]) as store:
            first = await put(store, b"/watched/a")
            beside = await put(store, b"/beside/a")
            batches = store.watch(b"/watched/", start_revision=first)
            async with aclosing(batches), asyncio.timeout(20):
                assert (await anext(batches)).revision == first
                mark = await anext(batches)
                assert (mark.revision, mark.events) == (beside, ())
                second = await put(store, b"/watched/b")
                batch = await anext(batches)
                assert batch.revision == second
                assert [event.kv.key for event in batch.events] == [b"/watched/b"]

    flags = ["--experimental-watch-progress-notify-interval=200ms"]
    with etcd_process(tmp_path, flags, program=newest_etcd()) as endpoint:
        progress(endpoint)


@asynchronous
async def test_what_was_compacted_while_away_is_named(etcd_endpoint: str) -> None:
    async with (
        lossy_proxy(etcd_endpoint) as proxy,
        EtcdStore([proxy.endpoint]) as watcher,
        EtcdStore([etcd_endpoint]) as direct,
    ):
        first = await put(direct, b"/away/a")
        batches = watcher.watch(b"/away/", start_revision=first)
        async with aclosing(batches), asyncio.timeout(20):
            assert (await anext(batches)).revision == first
            proxy.loses_answers = True
            await put(direct, b"/away/a")
            last = await put(direct, b"/away/a")
            await direct.compact(last)
            proxy.cut()
            proxy.loses_answers = False
            with pytest.raises(Compacted) as caught:
                await anext(batches)
            assert caught.value.facts["compact_revision"] == last
