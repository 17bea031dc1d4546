"""On a real cluster: who promotes first does not win; all fixes are in the end (R7, law 7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import permutations

import pytest

from bps.blueprint.data import load
from bps.clock import SystemClock
from bps.core.ids import BranchRef
from bps.core.keys import PlanKeys
from bps.core.ports import Key
from bps.leadership.election import Leadership
from bps.plans.blob import pack, unpack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.model import Version
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.replay.merges import verify_merges
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.setup.initialise import Initialise
from bps.store.etcd import EtcdStore
from bps.workshop.workshop import ProcessWorkshop
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.cluster import EtcdCluster

pytestmark = pytest.mark.cluster

BASE = b"""# checkout
title: checkout
retries: 3
tasks:
  - id: charge
    sla: 10
  - id: refund
    sla: 20
    depends_on: [charge]
"""
FIXES = {
    "retries": BASE.replace(b"retries: 3", b"retries: 5"),
    "sla": BASE.replace(b"sla: 20", b"sla: 25"),
    "void": BASE + b"  - id: void\n    sla: 30\n    depends_on: [refund]\n",
}
UNION = FIXES["void"].replace(b"retries: 3", b"retries: 5").replace(b"sla: 20", b"sla: 25")
ORDERS = list(permutations(FIXES))


@dataclass(frozen=True, slots=True)
class Leader:
    """A leader on the cluster, whose validators and merges run in processes."""

    store: EtcdStore
    path: WritePath

    async def fixes(self, plan: str, order: Sequence[str] = tuple(FIXES)) -> dict[str, BranchRef]:
        """All three branches, forked from version 1, submitted in that order."""
        content = pack(BASE)
        await self.path.execute(RegisterPlan("t", f"r-{plan}", plan, "default", "title", content))
        refs = {}
        for name in FIXES:
            # A trace a plan, so that branch ids, and with them the total order, differ.
            opening = OpenBranch("t", f"o-{plan}-{name}", plan, f"{plan}-{name}", name)
            refs[name] = BranchRef((await self.path.execute(opening)).result.branch, 1)
        for name in order:
            fix = SubmitBranch("t", f"s-{plan}-{name}", plan, refs[name], pack(FIXES[name]))
            await self.path.execute(fix)
        return refs

    async def promote(self, plan: str, *refs: BranchRef) -> PromotionResult:
        command = Promote("t", f"p-{plan}-{'-'.join(ref.prefix for ref in refs)}", plan, refs)
        return (await self.path.execute(command)).result

    async def canonical(self, plan: str) -> bytes:
        at = PlanKeys(plan)
        (kv,) = (await self.store.snapshot([Key(at.canonical)])).answers[0]
        digest = Version.decode(kv.value).digest
        (blob,) = (await self.store.snapshot([Key(at.blob(digest))])).answers[0]
        return unpack(blob.value, digest)

    async def proven(self, plan: str) -> None:
        await verify(self.store, plan)
        await replay(self.store, plan)
        assert (await verify_merges(self.store, plan)).without_blueprints == 0


@asynccontextmanager
async def leading(cluster: EtcdCluster) -> AsyncIterator[Leader]:
    """Initialised, with the default policy and its validators."""
    clock = SystemClock()
    async with (
        EtcdStore(cluster.endpoints) as store,
        Leadership(store, clock, "test", ttl_s=60) as leadership,
        ProcessWorkshop() as workshop,
    ):
        await leadership.campaign(30)
        leader = Leader(store, WritePath(store, leadership, clock, workshop=workshop))
        await leader.path.execute(Initialise("t", "init"))
        yield leader


@asynchronous
async def test_first_writer_wins_never_happens(fresh_cluster: EtcdCluster) -> None:
    async with leading(fresh_cluster) as leader:
        for number, order in enumerate(ORDERS, 1):
            plan = f"EP-{number}"
            refs = await leader.fixes(plan)
            for version, name in enumerate(order, 2):
                result = await leader.promote(plan, refs[name])
                assert (result.how, result.version) == ("promotion", version)
            assert load((await leader.canonical(plan)).decode()) == load(UNION.decode())
            await leader.proven(plan)


@asynchronous
async def test_all_at_once_gives_the_same_bytes_in_whatever_order_they_were_submitted(
    fresh_cluster: EtcdCluster,
) -> None:
    async with leading(fresh_cluster) as leader:
        found = set()
        for number, order in enumerate(ORDERS, 1):
            plan = f"EP-{number}"
            await leader.fixes(plan, order)
            result = await leader.promote(plan)
            assert (result.version, len(result.contributors)) == (2, 3)
            found.add(await leader.canonical(plan))
            await leader.proven(plan)
        assert found == {UNION}


@asynchronous
async def test_promotions_at_the_same_time_lose_nothing(fresh_cluster: EtcdCluster) -> None:
    async with leading(fresh_cluster) as leader:
        refs = await leader.fixes("EP-1")
        results = await asyncio.gather(*(leader.promote("EP-1", ref) for ref in refs.values()))
        assert {each.version for each in results} == {2, 3, 4}
        assert load((await leader.canonical("EP-1")).decode()) == load(UNION.decode())
        await leader.proven("EP-1")
