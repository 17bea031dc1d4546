"""On a real cluster: whatever becomes of a reply, one promotion, and its result for the caller."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bps.clock import SystemClock
from bps.core.errors import OutcomeUnknown
from bps.core.ids import BranchRef
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Store
from bps.core.txn import Committed, Conflict, Put, Txn
from bps.leadership.election import Leadership
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.events import Envelope
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.replay.replay import replay
from bps.setup.initialise import Initialise
from bps.store.etcd import EtcdStore
from bps.writepath.command import OpRecord
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.cluster import EtcdCluster
from tests.doubles import ApplyLate, Fault, FaultyStore, RecordingStore, without_validators
from tests.doubles.forwarding_store import ForwardingStore

pytestmark = pytest.mark.cluster

PLAN = "EP-1"
TTL_S = 60
"""Longer than any fault here: these tests are about replies, not about leadership."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A write path that is warm, and the command that is next."""

    etcd: EtcdStore
    leadership: Leadership
    faulty: FaultyStore
    store: RecordingStore
    path: WritePath
    command: Promote

    async def promotions(self) -> list[str]:
        prefix = PlanKeys(PLAN).events
        page = await self.etcd.page(prefix, after_prefix(prefix), limit=1_000)
        events = [Envelope.decode(kv.value) for kv in page.kvs]
        return [event.op for event in events if event.type == "BLUEPRINT_PROMOTED"]

    async def check_exactly_one(self) -> None:
        await self.faulty.arrive()
        assert (await self.path.execute(self.command)).how == "repeated"
        assert await self.promotions() == ["test/p"]
        assert (await replay(self.etcd, PLAN)).version == 2


@asynccontextmanager
async def ready(endpoints: list[str]) -> AsyncIterator[Ready]:
    """Everything goes to the first of `endpoints` as long as that answers."""
    clock = SystemClock()
    async with (
        EtcdStore(endpoints) as etcd,
        Leadership(etcd, clock, "test", ttl_s=TTL_S) as leadership,
    ):
        await leadership.campaign(30)
        faulty = FaultyStore(etcd)
        store = RecordingStore(faulty)
        path = WritePath(store, leadership, clock)
        await path.execute(Initialise("test", "init"))
        await without_validators(store)
        await path.execute(RegisterPlan("test", "r", PLAN, "default", "title", pack(b"v1")))
        branch = (await path.execute(OpenBranch("test", "o", PLAN, "T1", "F1"))).result.branch
        ref = BranchRef(branch, 1)
        await path.execute(SubmitBranch("test", "s", PLAN, ref, pack(b"v2")))
        store.reset()
        yield Ready(etcd, leadership, faulty, store, path, Promote("test", "p", PLAN, (ref,)))


@asynchronous
async def test_a_warm_promotion_is_one_round_trip_on_etcd_too(fresh_cluster: EtcdCluster) -> None:
    async with ready(fresh_cluster.endpoints) as at:
        assert (await at.path.execute(at.command)).how == "committed"
        assert at.store.calls == ["commit"]


@pytest.mark.parametrize(
    ("faults", "how"),
    [
        ([Fault.LOSE_REPLY], "repeated"),
        ([Fault.LOSE_REQUEST], "committed"),
        ([ApplyLate(1)], "committed"),
        ([ApplyLate(3)], "committed"),
        ([Fault.LOSE_REPLY] * 3, "repeated"),
        ([Fault.LOSE_REQUEST, Fault.LOSE_REPLY, Fault.UNAVAILABLE], "committed"),
        ([ApplyLate(2), Fault.LOSE_REPLY, ApplyLate(2)], "committed"),
        ([Fault.NO_LEASE], "committed"),
    ],
    ids=str,
)
@asynchronous
async def test_a_lost_request_or_reply_leaves_exactly_one_promotion(
    fresh_cluster: EtcdCluster, faults: list[Fault | ApplyLate], how: str
) -> None:
    async with ready(fresh_cluster.endpoints) as at:
        at.faulty.script.extend(faults)
        outcome = await at.path.execute(at.command)
        assert (outcome.how, outcome.result.version) == (how, 2)
        assert len(at.faulty.met) == len(faults)
        await at.faulty.arrive()
        assert not [answer for answer in at.faulty.late if isinstance(answer, Committed)]
        await at.check_exactly_one()


@pytest.mark.parametrize("thawed_after_s", [0.5, 2.5, 6.0])
@asynchronous
async def test_a_write_to_a_member_that_freezes_and_thaws_is_done_once(
    fresh_cluster: EtcdCluster, thawed_after_s: float
) -> None:
    frozen = fresh_cluster.leader_index()
    member = fresh_cluster.member(frozen)
    others = [e for e in fresh_cluster.endpoints if e != member.endpoint]
    async with ready([member.endpoint, *others]) as at:
        await asyncio.to_thread(member.pause)
        promoting = asyncio.create_task(at.path.execute(at.command))
        await asyncio.sleep(thawed_after_s)
        await asyncio.to_thread(member.resume)
        outcome = await promoting
        assert outcome.result.version == 2
        if thawed_after_s > 2:
            assert _settlements(at.store), "the write was not in doubt, so this proved nothing"
        await asyncio.to_thread(fresh_cluster.wait_healthy)
        await at.check_exactly_one()


def _settlements(store: RecordingStore) -> list[Txn]:
    return [
        txn
        for txn in store.txns
        if len(txn.operations) == 1
        and isinstance(put := txn.operations[0], Put)
        and OpRecord.decode(put.value).state == "ABORTED"
    ]


class LosesQuorum(ForwardingStore):
    """The first transaction is applied; then two members freeze, and its reply is lost."""

    def __init__(self, inner: Store, cluster: EtcdCluster) -> None:
        super().__init__(inner)
        self._cluster = cluster
        self.lost = False

    async def commit(self, txn: Txn) -> Committed | Conflict:
        answer = await super().commit(txn)
        if self.lost:
            return answer
        self.lost = True
        for index in (0, 1):
            await asyncio.to_thread(self._cluster.member(index).pause)
        raise OutcomeUnknown("The reply was lost together with the quorum.")


@asynchronous
async def test_without_a_quorum_the_outcome_is_unknown_and_the_repetition_tells_it(
    fresh_cluster: EtcdCluster,
) -> None:
    async with ready(fresh_cluster.endpoints) as at:
        losing = LosesQuorum(at.etcd, fresh_cluster)
        path = WritePath(losing, at.leadership, SystemClock())
        with pytest.raises(OutcomeUnknown) as unknown:
            await path.execute(at.command, deadline_s=time.monotonic() + 4)
        assert unknown.value.facts == {"op": "test/p"}
        assert losing.lost
        await asyncio.to_thread(fresh_cluster.heal)
        await at.check_exactly_one()
