"""The gateway adapter on the cluster: members that die, freeze, or lose their quorum; the fence."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import FencedOut, OutcomeUnknown, QuorumLost, Unavailable
from bps.core.ids import BranchRef
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key, Store
from bps.core.txn import Conflict, Fence, Put, Txn
from bps.leadership.election import Leadership
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.events import Envelope
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.replay.replay import replay
from bps.setup.initialise import Initialise
from bps.store.etcd import EtcdStore
from bps.store.gateway import GatewayStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.cluster import EtcdCluster
from tests.doubles import RecordingStore, without_validators
from tests.integration.store.lossy_proxy import lossy_proxy
from tests.integration.store.writer import Writer, leader_first

pytestmark = pytest.mark.cluster

PLAN = "EP-1"
TTL_S = 60
"""Longer than any fault here, unless a test ends the lease itself."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A write path that is warm, and the promotion that is next."""

    leadership: Leadership
    store: RecordingStore
    path: WritePath
    command: Promote


@asynccontextmanager
async def ready(endpoints: Sequence[str], *, deadline_s: float = 2.0) -> AsyncIterator[Ready]:
    clock = SystemClock()
    async with (
        GatewayStore(endpoints, deadline_s=deadline_s) as gateway,
        Leadership(gateway, clock, "gateway", ttl_s=TTL_S) as leadership,
    ):
        await leadership.campaign(30)
        store = RecordingStore(gateway)
        path = WritePath(store, leadership, clock)
        await path.execute(Initialise("test", "init"))
        await without_validators(store)
        await path.execute(RegisterPlan("test", "r", PLAN, "default", "title", pack(b"v1")))
        branch = (await path.execute(OpenBranch("test", "o", PLAN, "T1", "F1"))).result.branch
        ref = BranchRef(branch, 1)
        await path.execute(SubmitBranch("test", "s", PLAN, ref, pack(b"v2")))
        store.reset()
        yield Ready(leadership, store, path, Promote("test", "p", PLAN, (ref,)))


async def promotions(store: Store) -> list[str]:
    prefix = PlanKeys(PLAN).events
    page = await store.page(prefix, after_prefix(prefix), limit=1_000)
    events = [Envelope.decode(kv.value) for kv in page.kvs]
    return [event.op for event in events if event.type == "BLUEPRINT_PROMOTED"]


@asynchronous
async def test_a_killed_leader_in_mid_run(fresh_cluster: EtcdCluster) -> None:
    """Writes resume, nothing is doubled, nothing that was committed is missing."""
    leader, endpoints = leader_first(fresh_cluster)
    async with GatewayStore(endpoints) as store:
        writer = Writer(store)
        for _ in range(50):
            assert await writer.write()
        fresh_cluster.member(leader).kill()
        killed_s = time.monotonic()
        await writer.write()
        await eventually(writer.until_committed, "writes go on")
        assert time.monotonic() - killed_s < 8.0
        for _ in range(50):
            assert await writer.write()
        told = await writer.check()
        assert told["committed"] >= 101
        members = await store.status()
        assert {member.endpoint for member in members} == {*endpoints[1:]}


@asynchronous
async def test_a_frozen_member_costs_one_call(fresh_cluster: EtcdCluster) -> None:
    leader, endpoints = leader_first(fresh_cluster)
    async with GatewayStore(endpoints, deadline_s=1.0) as store:
        writer = Writer(store)
        assert await writer.write()
        fresh_cluster.member(leader).pause()
        assert not await writer.write(), "the frozen leader answered"
        await eventually(writer.until_committed, "writes go on while the leader is frozen")
        for _ in range(20):
            assert await writer.write()
        fresh_cluster.member(leader).resume()
        fresh_cluster.wait_healthy()
        assert (await writer.check())["unknown"] >= 1


@asynchronous
async def test_without_a_quorum_a_write_is_certainly_not_applied(
    fresh_cluster: EtcdCluster,
) -> None:
    """The gateway hands `hasleader` on: a member without a leader refuses at the door."""
    leader = fresh_cluster.leader_index()
    others = [index for index in range(3) if index != leader]
    left = fresh_cluster.member(others[0]).endpoint
    async with GatewayStore([left], read_bound_s=0.5) as store:
        await store.snapshot([Key(b"x")])
        for index in (leader, others[1]):
            fresh_cluster.member(index).pause()

        async def leaderless() -> bool:
            return [member.leader_id for member in await store.status()] == [0]

        await eventually(leaderless, "the member that is left knows no leader")
        with pytest.raises(QuorumLost):
            await store.commit(Txn((), (Put(b"/faults/never", b""),)))
        with pytest.raises(QuorumLost):
            await store.snapshot([Key(b"x")])
        alone = await store.snapshot([Key(b"x")], serializable=True)
        assert (alone.answers, alone.revision > 0) == (((),), True)
        async with EtcdStore([*fresh_cluster.endpoints]) as direct:
            read = [Key(b"x")]
            assert await direct.snapshot(read, serializable=True) == alone
            page = await direct.page(b"x", b"y", limit=1, serializable=True)
            assert page.revision == alone.revision
            with pytest.raises(Unavailable) as behind:
                await direct.snapshot(read, serializable=True, at_least=alone.revision + 1)
            assert behind.value.facts["have"] == str(alone.revision)
        fresh_cluster.heal()
        assert (await store.snapshot([Key(b"/faults/never")])).answers == ((),)


@asynchronous
async def test_a_lost_reply_of_a_promotion_is_settled(fresh_cluster: EtcdCluster) -> None:
    """The proxy swallows the reply of the commit; the op record decides, through the others."""
    leader, endpoints = leader_first(fresh_cluster)
    async with (
        lossy_proxy(fresh_cluster.member(leader).endpoint) as proxy,
        ready([proxy.endpoint, *endpoints[1:]], deadline_s=0.7) as at,
        EtcdStore(endpoints) as direct,
    ):
        before = (await direct.snapshot([Key(b"x")])).revision
        proxy.loses_answers = True
        outcome = await at.path.execute(at.command)
        assert proxy.lost_bytes > 0
        assert at.store.calls.count("commit") >= 2, "nothing was settled, so this proved nothing"
        assert (outcome.how, outcome.result.version) == ("repeated", 2)
        # One promotion, and the settlement wrote nothing.
        assert (await direct.snapshot([Key(b"x")])).revision == before + 1
        assert await promotions(direct) == ["test/p"]
        assert (await at.path.execute(at.command)).how == "repeated"
        assert (await replay(at.store, PLAN)).version == 2


@asynchronous
async def test_an_unknown_outcome_is_said_when_nobody_can_settle_it(
    fresh_cluster: EtcdCluster,
) -> None:
    _, endpoints = leader_first(fresh_cluster)
    async with (
        lossy_proxy(endpoints[0]) as proxy,
        ready([proxy.endpoint], deadline_s=0.5) as at,
        EtcdStore(endpoints) as direct,
    ):
        proxy.loses_answers = True
        with pytest.raises(OutcomeUnknown) as unknown:
            await at.path.execute(at.command, deadline_s=time.monotonic() + 3)
        assert unknown.value.facts == {"op": "test/p"}
        proxy.loses_answers = False
        outcome = await at.path.execute(at.command)
        assert outcome.result.version == 2
        assert await promotions(direct) == ["test/p"]


@asynchronous
async def test_a_former_leader_is_fenced_out(fresh_cluster: EtcdCluster) -> None:
    """Its lease ends without its knowledge, another one leads: its own transaction is refused."""
    _, endpoints = leader_first(fresh_cluster)
    async with ready(endpoints) as at, GatewayStore(endpoints) as other:
        fence = at.leadership.fence()
        ((holder,),) = (await other.snapshot([Key(keys.LEADER_HOLDER)])).answers
        assert fence == Fence(keys.LEADER_HOLDER, holder.create_revision)
        await other.lease_revoke(holder.lease_id)
        async with Leadership(other, SystemClock(), "second", ttl_s=TTL_S) as successor:
            await successor.campaign(30)
            refused = await other.commit(Txn((fence.compare,), (Put(b"/faults/fenced", b""),)))
            assert isinstance(refused, Conflict)
            with pytest.raises(FencedOut):
                await at.path.execute(at.command)
            assert await promotions(other) == []
            outcome = await WritePath(other, successor, SystemClock()).execute(at.command)
            assert (outcome.how, outcome.result.version) == ("committed", 2)
            assert await promotions(other) == ["test/p"]
