"""A full etcd: the sidecar says so, `bps doctor --reclaim-space` makes room, it goes on (R13)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from bps.bootstrap import Settings, StoreKind, maintenance, open_store
from bps.clock import SystemClock
from bps.core.error_catalogue import next_action_of
from bps.core.errors import CapabilityMissing, NoSpace
from bps.core.txn import Put, Txn
from bps.leadership.modes import Mode, Reason
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.space.reclaim import KEPT_REVISIONS, plan, reclaim
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous, eventually, run
from tests.cluster.interface import EtcdCluster
from tests.cluster.processes import newest_etcd
from tests.conformance.etcd_process import etcd_process
from tests.unit.cli.invoke import invoke

_QUOTA_BYTES = 8 * 1024 * 1024


@asynccontextmanager
async def serving(endpoint: str) -> AsyncIterator[tuple[Sidecar, EtcdStore]]:
    settings = SidecarSettings("test", quota_bytes=_QUOTA_BYTES)
    async with EtcdStore([endpoint]) as store, Sidecar(store, SystemClock(), settings) as sidecar:
        await sidecar.terms.decided()
        yield sidecar, store


async def standing(sidecar: Sidecar, mode: Mode, reason: Reason | None) -> None:
    async def reached() -> bool:
        return (sidecar.terms.mode, sidecar.terms.reason) == (mode, reason)

    try:
        await eventually(reached, f"{mode} {reason}", deadline_s=15.0)
    except AssertionError as error:
        raise AssertionError(
            f"{error}, but {sidecar.terms.holds}, {sidecar.space.latest}"
        ) from None


def register(n: int) -> RegisterPlan:
    return RegisterPlan("tester", f"op-{n}", f"EP-{n}", "default", "title", pack(b"v1"))


async def fill(store: EtcdStore) -> None:
    """The same few keys again and again, until etcd refuses: most of it is history.

    The large ones are older than all that a compaction leaves.
    """
    for n in range(12):
        await store.commit(Txn((), (Put(b"/full/%d" % (n % 3), bytes(400_000)),)))
    for small in range(1_000):
        try:
            await store.commit(Txn((), (Put(b"/full/small", bytes(10_000)),)))
        except NoSpace:
            assert small > KEPT_REVISIONS
            return
    pytest.fail("the quota does not hold")


def test_room_is_made_and_the_sidecar_goes_on_by_itself(tmp_path: Path) -> None:
    flags = [f"--quota-backend-bytes={_QUOTA_BYTES}"]
    with etcd_process(tmp_path, flags, program=newest_etcd()) as endpoint:
        run(made_room(endpoint), deadline_s=90.0)


async def made_room(endpoint: str) -> None:
    async with serving(endpoint) as (sidecar, store):
        await sidecar.execute(register(1))
        await fill(store)
        with pytest.raises(NoSpace) as refused:
            await sidecar.execute(register(2))
        assert "--reclaim-space" in next_action_of(refused.value)
        await standing(sidecar, Mode.READ_ONLY, Reason.NO_SPACE)
        assert sidecar.terms.leads
        assert sidecar.terms.write_path({Reason.NO_SPACE})

        etcd = {"BPS_ETCD_ENDPOINTS": endpoint}
        shown = await asyncio.to_thread(invoke, "doctor", "--reclaim-space", "-o", "json", env=etcd)
        assert shown.code == 0, shown.err
        rows = {row["check"]: row for row in orjson.loads(shown.out)}
        assert "alarms NOSPACE" in rows[f"defragment {endpoint}"]["detail"]
        assert (await store.status())[0].alarms == ("NOSPACE",), "the plan alone did something"

        done = await asyncio.to_thread(
            invoke, "doctor", "--reclaim-space", "--yes", "-o", "json", env=etcd
        )
        assert done.code == 0, done.err
        names = [row["check"] for row in orjson.loads(done.out)]
        assert names == ["compact", f"defragment {endpoint}", "disarm"]
        await standing(sidecar, Mode.READ_WRITE, None)
        await sidecar.execute(register(3))
        assert (await store.status())[0].alarms == ()


@asynchronous
async def test_members_have_their_turn_one_by_one_the_leader_last(
    fresh_cluster: EtcdCluster,
) -> None:
    async with EtcdStore(fresh_cluster.endpoints) as store:
        keeper = maintenance(store)
        for n in range(KEPT_REVISIONS + 50):
            await store.commit(Txn((), (Put(b"/space/%d" % (n % 2), bytes(20_000)),)))
        todo = plan(await keeper.members(), fresh_cluster.endpoints, 8 * 2**30)
        leader = todo.members[0].leader_id
        steps = [step async for step in reclaim(keeper, todo)]
        assert [step.name for step in steps] == [
            "compact",
            *(f"defragment {member.endpoint}" for member in todo.members),
            "disarm",
        ]
        assert [member.member_id for member in todo.members].index(leader) == 2
        # Once more: whoever runs it again goes on where the first run ended.
        assert len([step async for step in reclaim(keeper, todo)]) == len(steps)


def test_a_step_that_fails_says_what_was_done_and_how_to_go_on(tmp_path: Path) -> None:
    with etcd_process(tmp_path, program=newest_etcd()) as endpoint:
        run(over_the_quota(endpoint))


async def over_the_quota(endpoint: str) -> None:
    async with EtcdStore([endpoint]) as store:
        keeper = maintenance(store)
        (member,) = await keeper.members()
        with pytest.raises(NoSpace) as failed:
            # A quota that not even the empty file keeps.
            async for _ in reclaim(keeper, plan([member], (), 1_024)):
                pass
    assert failed.value.facts["step"] == "disarm"
    assert failed.value.facts["done"] == ["compact", f"defragment {endpoint}"]
    assert "it goes on" in (failed.value.next_action or "")


@asynchronous
async def test_the_gateway_cannot(fresh_cluster: EtcdCluster) -> None:
    settings = Settings(endpoints=tuple(fresh_cluster.endpoints), store_kind=StoreKind.GATEWAY)
    async with open_store(settings) as store:
        with pytest.raises(CapabilityMissing, match="defragment"):
            maintenance(store)
