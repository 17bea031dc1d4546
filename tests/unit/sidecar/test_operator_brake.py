"""The operator's brake holds on every sidecar, through restarts, until it is released."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bps.client.retries import MAX_RETRY_AFTER_S
from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import MalformedRecord, NotLeader, ReadOnly
from bps.core.txn import Delete, Put, Txn
from bps.leadership.modes import Mode, Reason
from bps.leadership.operator_mode import OperatorMode, SetOperatorMode, Wanted, operator_mode
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import Served, served

PASSED = frozenset({Reason.OPERATOR, Reason.NO_SPACE})


@asynccontextmanager
async def running(store: MemoryStore, name: str = "one") -> AsyncIterator[Sidecar]:
    settings = SidecarSettings(name, campaign_s=0.1)
    async with Sidecar(store, SystemClock(), settings) as sidecar:
        await sidecar.ready()
        yield sidecar


async def brakes(sidecar: Sidecar, mode: Wanted, why: str = "etcd is moved") -> Any:
    command = SetOperatorMode("operator-1", f"{mode}-{why}", mode, why)
    return await sidecar.execute(command, despite=PASSED)


async def holds(sidecar: Sidecar, *, held: bool) -> None:
    async def now() -> bool:
        return held == (Reason.OPERATOR in {each.reason for each in sidecar.terms.holds})

    await eventually(now, f"the brake holds: {held}")


def registration() -> RegisterPlan:
    return RegisterPlan("tester", "r", "EP-1", "default", "title", pack(b"v1"))


@asynchronous
async def test_the_brake_holds_on_all_sidecars_and_after_a_restart_until_it_is_released() -> None:
    store = MemoryStore(SystemClock())
    async with running(store) as one, running(store, "two") as two:
        set_ = await brakes(one, "READ_ONLY")
        assert (set_.how, set_.result.by, set_.result.why) == (
            "committed",
            "operator-1",
            "etcd is moved",
        )
        await holds(one, held=True)
        await holds(two, held=True)
        assert two.terms.reason is Reason.NOT_LEADER, "the weightier reason is told"
        with pytest.raises(ReadOnly) as refused:
            await one.execute(registration())
        assert refused.value.facts == {
            "by": "operator-1",
            "why": "etcd is moved",
            "since_ms": set_.result.since_ms,
            "retry_after_s": 60,
            "reason": "operator",
        }
        with pytest.raises(NotLeader):
            await brakes(two, "READ_WRITE")
    async with running(store) as one:
        await holds(one, held=True)
        with pytest.raises(ReadOnly):
            await one.execute(registration())
        await brakes(one, "READ_WRITE", "done")
        await holds(one, held=False)
        await one.execute(registration())


@asynchronous
async def test_the_same_wish_again_changes_nothing_and_a_repeated_request_gets_its_answer() -> None:
    store = MemoryStore(SystemClock())
    async with running(store) as one:
        first = await brakes(one, "READ_ONLY")
        assert (await brakes(one, "READ_ONLY")).how == "repeated"
        again = SetOperatorMode("operator-2", "other", "READ_ONLY", "etcd is moved")
        noop = await one.execute(again, despite=PASSED)
        assert (noop.how, noop.result) == ("noop", first.result)
        assert (await operator_mode(store)).wanted == first.result


@asynchronous
async def test_without_a_record_nobody_wants_anything() -> None:
    store = MemoryStore(SystemClock())
    assert (await operator_mode(store)).wanted == OperatorMode()
    assert OperatorMode().forbids() is None
    async with running(store) as one:
        await brakes(one, "READ_ONLY")
        await holds(one, held=True)
        await store.commit(Txn((), (Delete(keys.OPERATOR_MODE),)))
        await holds(one, held=False)


@asynchronous
async def test_a_record_that_cannot_be_read_forbids_writing_and_can_be_replaced() -> None:
    store = MemoryStore(SystemClock())
    async with running(store) as one:
        await store.commit(Txn((), (Put(keys.OPERATOR_MODE, b"{}"),)))
        await holds(one, held=True)
        with pytest.raises(MalformedRecord):
            await one.execute(registration())
        await brakes(one, "READ_WRITE")
        await holds(one, held=False)


@asynchronous
async def test_a_full_store_does_not_stop_the_brake() -> None:
    async with running(MemoryStore(SystemClock())) as one:
        one.terms.hold(Reason.NO_SPACE, ReadOnly("full"))
        await brakes(one, "READ_ONLY")
        await holds(one, held=True)
        assert one.terms.mode is Mode.READ_ONLY


async def put(service: Served, mode: str, role: str = "operator", **options: Any) -> Any:
    body = {"mode": mode, "reason": "etcd is moved"}
    return await service.call("PUT", "/v1/mode", role=role, json=body, **options)


@asynchronous
async def test_over_http_an_operator_brakes_and_a_writer_is_told_who_and_why() -> None:
    async with served() as service:
        shown = await service.call("GET", "/v1/mode", role="agent")
        assert shown.json() == {"mode": "READ_WRITE", "by": None, "why": None, "since_ms": None}
        assert (await put(service, "READ_ONLY", "supervisor")).status_code == 403
        assert (await put(service, "STARTING")).status_code == 400
        braked = await put(service, "READ_ONLY")
        assert (braked.status_code, braked.json()["by"]) == (200, "operator-1")
        assert (await service.call("GET", "/v1/mode")).json() == braked.json()
        await holds(service.sidecar, held=True)
        refused = await service.call(
            "POST", "/v1/initiatives", role="operator", json={"initiative": "x"}
        )
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (503, "READ_ONLY")
        assert (problem["facts"]["reason"], problem["facts"]["why"]) == (
            "operator",
            "etcd is moved",
        )
        assert int(refused.headers["Retry-After"]) > MAX_RETRY_AFTER_S, "no client waits for it"
        assert "bps mode read-write" in problem["next_action"]
        leads = await service.call("GET", "/leaderz", role=None)
        assert leads.status_code == 503
        assert (await put(service, "READ_WRITE")).status_code == 200
        await holds(service.sidecar, held=False)
