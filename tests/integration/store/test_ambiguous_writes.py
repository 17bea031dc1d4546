"""A write without an answer is never sent again, and never reported as failed."""

from __future__ import annotations

import asyncio
import time

import pytest

from bps.core.errors import OutcomeUnknown, Unavailable
from bps.core.ports import Key
from bps.core.txn import Committed, Put, Txn, absent
from bps.store.etcd import EtcdStore
from bps.store.gateway import GatewayStore
from tests.asynchronous import HANGS_S, asynchronous
from tests.integration.store.lossy_proxy import lossy_proxy


@asynchronous
async def test_a_lost_answer_is_an_unknown_outcome(etcd_endpoint: str) -> None:
    key = b"/ambiguous/lost"
    async with (
        lossy_proxy(etcd_endpoint) as proxy,
        EtcdStore([proxy.endpoint, etcd_endpoint], deadline_s=0.5) as store,
        EtcdStore([etcd_endpoint]) as direct,
    ):
        before = (await store.snapshot([Key(key)])).revision
        proxy.loses_answers = True
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown) as caught:
            await store.commit(Txn((absent(key),), (Put(key, b"1"),)))
        assert time.monotonic() - started < 1.5
        assert proxy.lost_bytes > 0
        assert caught.value.facts["op"] == "commit"
        # Applied once, although the caller does not know: nobody wrote after it.
        snapshot = await direct.snapshot([Key(key)])
        assert [kv.mod_revision for kv in snapshot.answers[0]] == [snapshot.revision]
        assert snapshot.revision == before + 1
        # The next call goes to the other endpoint at once.
        assert (await store.snapshot([Key(key)])).answers == snapshot.answers
        assert isinstance(await store.commit(Txn((), (Put(key, b"2"),))), Committed)


@asynchronous
async def test_a_connection_that_breaks_during_a_write(etcd_endpoint: str) -> None:
    key = b"/ambiguous/cut"
    async with (
        lossy_proxy(etcd_endpoint) as proxy,
        EtcdStore([proxy.endpoint]) as store,
        EtcdStore([etcd_endpoint]) as direct,
    ):
        await store.snapshot([Key(key)])
        proxy.loses_answers = True
        writing = asyncio.create_task(store.commit(Txn((absent(key),), (Put(key, b"1"),))))
        async with asyncio.timeout(HANGS_S):
            async for _ in direct.watch(key, start_revision=1):
                break
        proxy.cut()
        with pytest.raises(OutcomeUnknown):
            await writing
        # The store connects anew by itself.
        proxy.loses_answers = False
        assert (await store.snapshot([Key(key)])).answers[0]


@asynchronous
async def test_without_a_connection_nothing_is_sent(etcd_endpoint: str) -> None:
    key = b"/ambiguous/none"
    async with lossy_proxy(etcd_endpoint) as proxy:
        endpoint = proxy.endpoint
    async with EtcdStore([endpoint], deadline_s=0.5) as store:
        started = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            await store.commit(Txn((), (Put(key, b"1"),)))
        assert time.monotonic() - started < 1.5
        assert endpoint in caught.value.message
        assert await store.status() == ()


@pytest.mark.parametrize("adapter", [EtcdStore, GatewayStore])
@asynchronous
async def test_an_unknown_grant_names_its_lease(
    etcd_endpoint: str, adapter: type[EtcdStore | GatewayStore]
) -> None:
    async with (
        lossy_proxy(etcd_endpoint) as proxy,
        adapter([proxy.endpoint], deadline_s=0.5) as store,
        EtcdStore([etcd_endpoint]) as direct,
    ):
        await store.snapshot([Key(b"x")])
        proxy.loses_answers = True
        with pytest.raises(OutcomeUnknown) as caught:
            await store.lease_grant(60)
        lease_id = int(str(caught.value.facts["lease_id"]))
        assert await direct.lease_keepalive(lease_id) == 60
        await direct.lease_revoke(lease_id)


@asynchronous
async def test_closing_the_store_under_a_write(etcd_endpoint: str) -> None:
    async with lossy_proxy(etcd_endpoint) as proxy, EtcdStore([proxy.endpoint]) as store:
        await store.snapshot([Key(b"x")])
        proxy.loses_answers = True
        writing = asyncio.create_task(store.commit(Txn((), (Put(b"/ambiguous/close", b"1"),))))
        reading = asyncio.create_task(store.snapshot([Key(b"x")]))
        async with asyncio.timeout(HANGS_S):
            while not proxy.lost_bytes:  # noqa: ASYNC110 - bytes have no event
                await asyncio.sleep(0.01)
        await store.close()
        with pytest.raises(OutcomeUnknown):
            await writing
        with pytest.raises(Unavailable):
            await reading
        with pytest.raises(Unavailable, match="closed"):
            await store.snapshot([Key(b"x")])
