"""Members that die, freeze or are cut off, under reads and writes."""

from __future__ import annotations

import asyncio
import time

import pytest

from bps.core.errors import OutcomeUnknown, QuorumLost, Unavailable
from bps.core.ports import Key, Store
from bps.core.txn import Put, Txn
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous, eventually
from tests.cluster import EtcdCluster
from tests.integration.store.writer import Writer, leader_first

pytestmark = pytest.mark.cluster

_SLACK_S = 1.0


@asynchronous
async def test_a_killed_member_under_load(fresh_cluster: EtcdCluster) -> None:
    leader, endpoints = leader_first(fresh_cluster)
    async with EtcdStore(endpoints) as store:
        writer = Writer(store)
        for _ in range(100):
            assert await writer.write()
        reads = 0

        async def read() -> None:
            nonlocal reads
            while True:
                await store.snapshot([Key(b"/faults/000000")])
                reads += 1
                await asyncio.sleep(0)

        reading = asyncio.create_task(read())
        fresh_cluster.member(leader).kill()
        before = reads
        await writer.write()
        await eventually(writer.until_committed, "writes go on")
        for _ in range(100):
            assert await writer.write()
        assert reads > before
        assert not reading.done(), "a read failed although two members were left"
        reading.cancel()
        told = await writer.check()
        assert told["committed"] >= 201
        assert writer.longest_s < 2 * 2.0 + _SLACK_S


@asynchronous
async def test_a_frozen_leader(fresh_cluster: EtcdCluster) -> None:
    leader, endpoints = leader_first(fresh_cluster)
    async with EtcdStore(endpoints) as store:
        writer = Writer(store)
        assert await writer.write()
        fresh_cluster.member(leader).pause()
        assert not await writer.write(), "the frozen leader answered"
        started = time.monotonic()
        await eventually(writer.until_committed, "writes go on while the leader is frozen")
        for _ in range(50):
            assert await writer.write()
        assert time.monotonic() - started < 6.0
        started = time.monotonic()
        await store.snapshot([Key(b"/faults/000000")])
        assert time.monotonic() - started < _SLACK_S
        fresh_cluster.member(leader).resume()
        fresh_cluster.wait_healthy()
        told = await writer.check()
        assert told["unknown"] >= 1
        assert writer.longest_s < 2 * 2.0 + _SLACK_S


@asynchronous
async def test_a_read_outlives_a_frozen_member(fresh_cluster: EtcdCluster) -> None:
    leader, endpoints = leader_first(fresh_cluster)
    async with EtcdStore(endpoints) as store:
        await store.snapshot([Key(b"x")])
        fresh_cluster.member(leader).pause()
        started = time.monotonic()
        await store.snapshot([Key(b"x")])
        assert 1.5 < time.monotonic() - started < 5.0 + _SLACK_S
        lease = await store.lease_grant(60)
        assert await store.lease_keepalive(lease.lease_id) == 60


@asynchronous
async def test_a_lost_quorum_is_named_and_heals(fresh_cluster: EtcdCluster) -> None:
    survivor = 0
    async with EtcdStore(fresh_cluster.endpoints) as store:
        writer = Writer(store)
        assert await writer.write()
        for index in (1, 2):
            fresh_cluster.member(index).kill()

        async def has_no_leader() -> bool:
            statuses = await store.status()
            assert [each.endpoint for each in statuses] == [fresh_cluster.endpoints[survivor]]
            return statuses[0].leader_id == 0

        await eventually(has_no_leader, "the survivor gives up its leader")
        started = time.monotonic()
        with pytest.raises(QuorumLost):
            await store.snapshot([Key(b"x")])
        assert time.monotonic() - started < 5.0 + _SLACK_S
        started = time.monotonic()
        # Refused before it was looked at: certainly not applied, hence no OutcomeUnknown.
        with pytest.raises(QuorumLost):
            await store.commit(Txn((), (Put(b"/faults/never", b""),)))
        assert time.monotonic() - started < _SLACK_S
        fresh_cluster.member(1).start()
        await eventually(writer.until_committed, "writes go on with two members")
        assert not (await store.snapshot([Key(b"/faults/never")])).answers[0]
        await writer.check()


@asynchronous
async def test_a_leader_that_is_cut_off_serves_nobody(fresh_cluster: EtcdCluster) -> None:
    leader, endpoints = leader_first(fresh_cluster)
    async with EtcdStore(endpoints) as store:
        writer = Writer(store)
        assert await writer.write()
        fresh_cluster.member(leader).isolate()
        fresh_cluster.member(leader).wait_cut_off()
        await eventually(writer.until_committed, "writes go on at the majority")
        assert (await store.snapshot([Key(b"/faults/000000")])).answers[0]
        statuses = {each.endpoint: each for each in await store.status()}
        assert set(statuses) == set(fresh_cluster.endpoints)

        async def cut_off_member_knows() -> bool:
            return {s.endpoint: s.leader_id for s in await store.status()}[endpoints[0]] == 0

        await eventually(cut_off_member_knows, "the old leader steps down")
        fresh_cluster.heal()
        await writer.check()


@asynchronous
async def test_a_cluster_that_is_down_and_comes_back(fresh_cluster: EtcdCluster) -> None:
    async with EtcdStore(fresh_cluster.endpoints, deadline_s=1.0, read_bound_s=1.0) as store:
        writer = Writer(store)
        assert await writer.write()
        for member in fresh_cluster.members:
            member.kill()
        await eventually(lambda: _is_refused(store), "writes are certainly not applied")
        with pytest.raises(Unavailable):
            await store.snapshot([Key(b"x")])
        assert await store.status() == ()
        for member in fresh_cluster.members:
            member.start()
        await eventually(writer.until_committed, "writes go on", deadline_s=30.0)
        await writer.check()


@asynchronous
async def test_a_read_waits_for_members_that_were_connected_to_start_again(
    fresh_cluster: EtcdCluster,
) -> None:
    async with EtcdStore(fresh_cluster.endpoints, read_bound_s=30.0, refused_s=0.5) as store:
        await store.snapshot([Key(b"x")])
        for member in fresh_cluster.members:
            member.kill()
        await eventually(lambda: _is_refused(store), "writes are certainly not applied")
        reading = asyncio.create_task(store.snapshot([Key(b"x")]))
        # Longer than a store waits that never was connected.
        done, _ = await asyncio.wait([reading], timeout=2.0)
        assert not done
        for member in fresh_cluster.members:
            member.start()
        await reading


async def _is_refused(store: Store) -> bool:
    try:
        await store.commit(Txn((), (Put(b"/down", b""),)))
    except OutcomeUnknown:
        return False
    except Unavailable:
        return True
    return False
