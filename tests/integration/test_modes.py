"""A sidecar through the loss of the quorum and of the leader, on a real cluster (R12, R13).

The figures that are asserted are those of docs/serve.md.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import BpsError, QuorumLost
from bps.core.ports import Key
from bps.leadership.modes import Mode, Reason
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous, eventually
from tests.checkout import ROOT
from tests.cluster import EtcdCluster

pytestmark = pytest.mark.cluster

TTL_S = 2
SEEN_S = 2.5
BACK_S = 3.0
TAKEN_OVER_S = TTL_S + 2.0


@asynccontextmanager
async def leading(cluster: EtcdCluster, name: str = "test") -> AsyncIterator[Sidecar]:
    async with EtcdStore(cluster.endpoints) as store:
        settings = SidecarSettings(name, lease_ttl_s=TTL_S)
        async with Sidecar(store, SystemClock(), settings) as sidecar:
            await sidecar.ready()
            yield sidecar


def registration(n: int) -> RegisterPlan:
    return RegisterPlan("tester", f"r-{n}", f"EP-{n}", "default", "title", pack(b"v1"))


async def mode_is(sidecar: Sidecar, mode: Mode, reason: Reason | None = None) -> float:
    """The monotonic time when it was seen so, in seconds."""

    async def now() -> bool:
        return (sidecar.terms.mode, sidecar.terms.reason) == (mode, reason)

    await eventually(now, f"{mode} {reason}", deadline_s=20)
    return time.monotonic()


async def first_read(cluster: EtcdCluster) -> float:
    """The monotonic time when the cluster first answered a linearizable read."""
    async with EtcdStore(cluster.endpoints, deadline_s=0.5, read_bound_s=0.5) as store:

        async def answers() -> bool:
            try:
                await store.snapshot([Key(keys.SCHEMA)])
            except BpsError:
                return False
            return True

        await eventually(answers, "a linearizable read is answered", deadline_s=30)
    return time.monotonic()


@pytest.mark.parametrize("fault", ["kill", "pause"])
@asynchronous
async def test_a_lost_quorum_is_seen_and_told_and_writing_goes_on_after_it(
    fresh_cluster: EtcdCluster, fault: str
) -> None:
    async with leading(fresh_cluster) as sidecar:
        await sidecar.execute(registration(1))
        # One member is left, and that one never was the leader.
        leader = fresh_cluster.leader_index()
        lost = [fresh_cluster.member(leader), fresh_cluster.member((leader + 1) % 3)]
        for member in lost:
            await asyncio.to_thread(getattr(member, fault))
        begun_s = time.monotonic()
        seen_s = await mode_is(sidecar, Mode.READ_ONLY, Reason.QUORUM_LOST)
        assert seen_s - begun_s < SEEN_S
        with pytest.raises(QuorumLost) as refused:
            await sidecar.execute(registration(2))
        assert refused.value.facts["reason"] == "quorum_lost"
        assert time.monotonic() - seen_s < 0.5

        async def term_ended() -> bool:
            return sidecar.terms.fence is None

        await eventually(term_ended, "the lease has run out")
        await asyncio.to_thread(lost[1].heal)
        back_s = await first_read(fresh_cluster)
        await mode_is(sidecar, Mode.READ_WRITE)
        await sidecar.execute(registration(2))
        took_s = time.monotonic() - back_s
        assert took_s < BACK_S
        assert sidecar.terms.terms == 2
        print(f"{fault}: seen after {seen_s - begun_s:.2f} s, written {took_s:.2f} s after")


@asynchronous
async def test_a_frozen_member_is_no_lost_quorum(fresh_cluster: EtcdCluster) -> None:
    follower = (fresh_cluster.leader_index() + 1) % 3
    ordered = [*fresh_cluster.endpoints[follower:], *fresh_cluster.endpoints[:follower]]
    async with EtcdStore(ordered) as store:
        settings = SidecarSettings("test", lease_ttl_s=5)
        async with Sidecar(store, SystemClock(), settings) as sidecar:
            await sidecar.ready()
            await asyncio.to_thread(fresh_cluster.member(follower).pause)
            frozen_s = time.monotonic()

            async def gone_round() -> bool:
                return time.monotonic() - frozen_s > SEEN_S + 0.5

            await eventually(gone_round, "a loss would have been seen by now")
            assert sidecar.terms.edges.counted[Mode.READ_ONLY, Reason.QUORUM_LOST] == 0
            assert sidecar.terms.mode is Mode.READ_WRITE


class Rival:
    """A sidecar in a process of its own, which leads."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, *act: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(act).encode() + b"\n")
        await self.process.stdin.drain()
        found: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return found


@asynccontextmanager
async def rival(cluster: EtcdCluster) -> AsyncIterator[Rival]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.rolling_sidecar", "rival"),
        *(",".join(cluster.endpoints), str(TTL_S)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Rival(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
@asynchronous
async def test_another_sidecar_leads_soon_after_the_leader_is_killed_or_frozen(
    fresh_cluster: EtcdCluster, number: signal.Signals
) -> None:
    async with rival(fresh_cluster) as first:
        await first.ask("start")
        assert (await first.ask("leads"))["mode"] == "READ_WRITE"
        async with leading(fresh_cluster) as second:
            assert second.terms.reason is Reason.NOT_LEADER
            first.process.send_signal(number)
            begun_s = time.monotonic()
            took_s = await mode_is(second, Mode.READ_WRITE) - begun_s
            assert took_s < TAKEN_OVER_S
            await second.execute(registration(1))
            print(f"{number.name}: another leads after {took_s:.2f} s")
