"""A lost quorum, and whatever else the store says that nobody knows, forbids writing at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import (
    AccessDenied,
    BpsError,
    NotLeader,
    QuorumLost,
    StoreRefused,
    Unavailable,
)
from bps.core.ports import Read, Snapshot
from bps.core.txn import Committed, Conflict, Delete, Txn
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.leadership.modes import Mode, Reason
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from bps.sidecar.diagnosis import diagnose_sidecar
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.doubles.forwarding_store import ForwardingStore
from tests.unit.http.harness import RoleGuard


class Ailing(ForwardingStore):
    """Reads or writes are answered by an error, or never."""

    reads: BpsError | None = None
    writes: BpsError | None = None
    silent = False
    commits = 0

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        if self.silent:
            await asyncio.Event().wait()
        if self.reads is not None:
            raise type(self.reads)(self.reads.message, **self.reads.facts)
        return await super().snapshot(reads, serializable=serializable, at_least=at_least)

    async def commit(self, txn: Txn) -> Committed | Conflict:
        self.commits += 1
        if self.writes is not None:
            raise type(self.writes)(self.writes.message, **self.writes.facts)
        return await super().commit(txn)


@dataclass
class World:
    store: Ailing
    sidecar: Sidecar
    client: httpx.AsyncClient
    plans: int = 0

    async def held(self, reason: Reason | None) -> None:
        async def now() -> bool:
            return self.sidecar.terms.reason is reason

        await eventually(now, f"the reason is {reason}")

    def command(self) -> RegisterPlan:
        self.plans += 1
        plan = f"EP-{self.plans}"
        return RegisterPlan("tester", f"r-{plan}", plan, "default", "title", pack(b"v1"))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what a probe tells, not of when."""
    monkeypatch.setattr("bps.leadership.probe.PERIOD_S", 0.02)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    clock = SystemClock()
    store = Ailing(MemoryStore(clock))
    async with Sidecar(store, clock, SidecarSettings("test")) as sidecar:
        await sidecar.ready()
        app = create_app(Service(sidecar, RoleGuard(), Limits()))
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield World(store, sidecar, client)


async def put_plan(client: httpx.AsyncClient) -> httpx.Response:
    headers = {"Authorization": "Bearer supervisor", "Idempotency-Key": "k"}
    headers["Content-Type"] = "application/yaml"
    path = "/v1/plans/EP-9?initiative=default&title=t"
    return await client.put(path, headers=headers, content=b"title: a\n")


@asynchronous
async def test_silence_is_seen_in_time_and_then_every_write_is_refused_at_once() -> None:
    async with world() as at:
        at.store.silent = True
        begun_s = time.monotonic()
        await at.held(Reason.QUORUM_LOST)
        assert 1.0 < time.monotonic() - begun_s < 2.7
        commits, asked_s = at.store.commits, time.monotonic()
        answer = await put_plan(at.client)
        assert time.monotonic() - asked_s < 0.2
        assert at.store.commits == commits
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (503, "QUORUM_LOST")
        assert problem["facts"]["reason"] == "quorum_lost"
        assert int(answer.headers["Retry-After"]) > 0
        at.store.silent = False
        await at.held(None)
        assert (await put_plan(at.client)).status_code == 201
        assert at.sidecar.terms.terms == 1, "the lease lived on"


@asynchronous
async def test_two_answers_that_there_is_no_leader_are_enough() -> None:
    async with world() as at:
        at.store.reads = QuorumLost("etcd has no leader.")
        begun_s = time.monotonic()
        await at.held(Reason.QUORUM_LOST)
        assert time.monotonic() - begun_s < 1.6
        with pytest.raises(QuorumLost, match="has no leader"):
            await at.sidecar.execute(at.command())
        at.store.reads = None
        await at.held(None)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    "error", [StoreRefused("etcd says what nobody knows."), AccessDenied("etcd denies us.")]
)
@asynchronous
async def test_a_read_that_fails_without_a_known_name_holds_with_its_own_words(
    error: BpsError,
) -> None:
    async with world() as at:
        at.store.reads = error
        await at.held(Reason.UNKNOWN_STORE_ERROR)
        with pytest.raises(Unavailable, match=error.message):
            await at.sidecar.execute(at.command())
        at.store.reads = None
        await at.held(None)
        await at.sidecar.execute(at.command())


@pytest.mark.usefixtures("often")
@asynchronous
async def test_a_write_that_fails_without_a_known_name_holds_until_the_store_is_proven() -> None:
    async with world() as at:
        at.store.writes = StoreRefused("etcd found corrupt data.", grpc_code="DATA_LOSS")
        with pytest.raises(StoreRefused):
            await at.sidecar.execute(at.command())
        assert at.sidecar.terms.reason is Reason.UNKNOWN_STORE_ERROR
        commits = at.store.commits
        with pytest.raises(Unavailable) as refused:
            await at.sidecar.execute(at.command())
        assert refused.value.facts["reason"] == "unknown_store_error"
        assert at.store.commits == commits
        at.store.writes = None
        await at.held(None)
        await at.sidecar.execute(at.command())


@asynchronous
async def test_a_write_that_was_wrong_itself_holds_nothing() -> None:
    async with world() as at:
        at.store.writes = StoreRefused("etcd refused the request.", grpc_code="INVALID_ARGUMENT")
        with pytest.raises(StoreRefused):
            await at.sidecar.execute(at.command())
        assert at.sidecar.terms.mode is Mode.READ_WRITE


@pytest.mark.usefixtures("often")
@asynchronous
async def test_a_term_whose_key_is_gone_from_the_store_is_over() -> None:
    async with world() as at:
        before = at.sidecar.terms.fence
        assert before is not None
        await at.store.commit(Txn((), (Delete(keys.LEADER_HOLDER),)))

        async def anew() -> bool:
            fence = at.sidecar.terms.fence
            return at.sidecar.terms.mode is Mode.READ_WRITE and fence not in {before, None}

        await eventually(anew, "a new term has begun")
        assert at.sidecar.terms.terms == 2


@pytest.mark.usefixtures("often")
@asynchronous
async def test_what_holds_and_since_when_is_told_everywhere() -> None:
    async with world() as at:
        verbose = (await at.client.get("/readyz?verbose")).json()
        assert (verbose["mode"], verbose["holds"]) == ("READ_WRITE", [])
        modes = [edge["mode"] for edge in verbose["edges"]]
        assert modes == ["READ_WRITE", "RECOVERING", "STARTING"]
        assert verbose["since"] == verbose["edges"][0]["at"]
        terms = at.sidecar.terms
        terms.hold(Reason.CLOCK_JUMP, BpsError("the clock jumped"))
        at.store.reads = QuorumLost("etcd has no leader.")
        await at.held(Reason.QUORUM_LOST)
        verbose = (await at.client.get("/readyz?verbose")).json()
        assert [each["reason"] for each in verbose["holds"]] == ["quorum_lost", "clock_jump"]
        assert verbose["holds"][1]["message"] == "the clock jumped"
        reasons = [edge["reason"] for edge in verbose["edges"][:3]]
        assert reasons == ["quorum_lost", "clock_jump", None]
        rows = {row.check: row for row in await diagnose_sidecar(at.sidecar)}
        assert f"READ_ONLY since {verbose['since']}; quorum_lost: " in rows["mode"].detail
        assert "clock_jump: the clock jumped" in rows["mode"].detail
        value = at.sidecar.metrics.registry.get_sample_value
        for reason in Reason:
            held = reason in {Reason.QUORUM_LOST, Reason.CLOCK_JUMP}
            assert value("bps_read_only", {"reason": reason.value}) == held
        labels = {"mode": "READ_ONLY", "reason": "quorum_lost"}
        assert value("bps_mode_changes_total", labels) == 1
        labels = {"mode": "READ_WRITE", "reason": "none"}
        assert value("bps_mode_changes_total", labels) == 1


@asynchronous
async def test_only_the_last_twenty_edges_are_kept() -> None:
    async with world() as at:
        terms = at.sidecar.terms
        for _ in range(15):
            terms.hold(Reason.OPERATOR, NotLeader("x"))
            terms.hold(Reason.OPERATOR, NotLeader("the same again is no edge"))
            terms.release(Reason.OPERATOR)
        assert len(terms.edges.newest_first) == 20
        assert terms.edges.counted[Mode.READ_ONLY, Reason.OPERATOR] == 15
