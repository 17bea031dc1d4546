"""A leader that is frozen past its lease, between its read and its transaction, writes nothing.

The frozen process has already passed every check of its own (fence, age of the decision): only
the compare inside etcd's transaction can stop it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.ids import BranchRef
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key
from bps.leadership.election import Leadership
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.events import Envelope
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.replay.replay import replay
from bps.setup.initialise import Initialise
from bps.store.etcd import EtcdStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.checkout import ROOT
from tests.cluster import EtcdCluster
from tests.doubles import without_validators
from tests.doubles.pausing_leader import OP_ID, PRINCIPAL

pytestmark = pytest.mark.cluster

PLAN = "EP-1"
TTL_S = 2
DEADLINE_S = 30.0


def _state(pid: int) -> str:
    """The state of a process as the kernel names it; T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class FrozenLeader:
    """The child process, which waits before its transaction."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.create_revision = 0

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            return (await self._process.stdout.readline()).decode().strip()

    async def ready(self) -> None:
        """Wait until its next act is to send the promotion."""
        word, _, revision = (await self.line()).partition(" ")
        assert word == "LEADS"
        self.create_revision = int(revision)
        assert await self.line() == "READY"

    async def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

        async def stopped() -> bool:
            return _state(self._process.pid) == "T"

        await eventually(stopped, "the leader is frozen")

    async def go_on(self) -> dict[str, object]:
        """Thaw it, let it send, and return what became of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        self._process.send_signal(signal.SIGCONT)
        answer: dict[str, object] = json.loads(await self.line())
        return answer


@asynccontextmanager
async def pausing_leader(cluster: EtcdCluster, branch: str) -> AsyncIterator[FrozenLeader]:
    arguments = (",".join(cluster.endpoints), PLAN, branch, str(TTL_S))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.doubles.pausing_leader",
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield FrozenLeader(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def prepared_branch(store: EtcdStore) -> str:
    """A plan with one branch that succeeded; whoever prepared it leads no more."""
    clock = SystemClock()
    async with Leadership(store, clock, "prepares", ttl_s=TTL_S) as leadership:
        await leadership.campaign(DEADLINE_S)
        path = WritePath(store, leadership, clock)
        await path.execute(Initialise("test", "init"))
        await without_validators(store)
        await path.execute(RegisterPlan("test", "r", PLAN, "default", "title", pack(b"v1")))
        opened = await path.execute(OpenBranch("test", "o", PLAN, "T1", "F1"))
        branch = opened.result.branch
        await path.execute(SubmitBranch("test", "s", PLAN, BranchRef(branch, 1), pack(b"v2")))
        return branch


async def promotions(store: EtcdStore) -> list[str]:
    """The operations that promoted, by the log."""
    prefix = PlanKeys(PLAN).events
    page = await store.page(prefix, after_prefix(prefix), limit=1_000)
    events = [Envelope.decode(kv.value) for kv in page.kvs]
    return [event.op for event in events if event.type == "BLUEPRINT_PROMOTED"]


@asynchronous
async def test_the_transaction_of_a_leader_frozen_past_its_lease_fails_by_the_fence(
    fresh_cluster: EtcdCluster,
) -> None:
    async with EtcdStore(fresh_cluster.endpoints) as store:
        branch = await prepared_branch(store)
        async with pausing_leader(fresh_cluster, branch) as frozen:
            await frozen.ready()
            await frozen.freeze()
            clock = SystemClock()
            async with Leadership(store, clock, "successor", ttl_s=TTL_S) as successor:
                await successor.campaign(DEADLINE_S)
                assert successor.fence().create_revision > frozen.create_revision
                command = Promote("successor", "p", PLAN, (BranchRef(branch, None),))
                outcome = await WritePath(store, successor, clock).execute(command)
                assert outcome.result.version == 2
                answer = await frozen.go_on()
        assert answer["error"] == "FENCED_OUT", answer
        assert await promotions(store) == ["successor/p"]
        absent = await store.snapshot([Key(keys.op(PRINCIPAL, OP_ID))])
        assert absent.answers == ((),)
        assert (await replay(store, PLAN)).version == 2


@asynchronous
async def test_fenced_out_even_before_anybody_else_wrote(fresh_cluster: EtcdCluster) -> None:
    async with EtcdStore(fresh_cluster.endpoints) as store:
        branch = await prepared_branch(store)
        async with pausing_leader(fresh_cluster, branch) as frozen:
            await frozen.ready()
            await frozen.freeze()

            async def expired() -> bool:
                return (await store.snapshot([Key(keys.LEADER_HOLDER)])).answers == ((),)

            await eventually(expired, "the lease expired", deadline_s=DEADLINE_S)
            answer = await frozen.go_on()
        assert answer["error"] == "FENCED_OUT", answer
        assert await promotions(store) == []


@asynchronous
async def test_without_the_freeze_the_same_transaction_commits(fresh_cluster: EtcdCluster) -> None:
    async with EtcdStore(fresh_cluster.endpoints) as store:
        branch = await prepared_branch(store)
        async with pausing_leader(fresh_cluster, branch) as leader:
            await leader.ready()
            assert await leader.go_on() == {"version": 2}
        assert await promotions(store) == [f"{PRINCIPAL}/{OP_ID}"]
