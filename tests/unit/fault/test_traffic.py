"""The traffic against a whole service on a memory store: everything it notes passes every check."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.contract.service import running
from tests.fault.attempt import opening
from tests.fault.check import check_history, check_run
from tests.fault.final_state import FinalState, read_final
from tests.fault.history import History, Ok, Operation, Outcome, Recorder, Refused, Unknown, load
from tests.fault.terms import Term, TermRecorder, Terms
from tests.fault.traffic import Client, Mix, Traffic

PLANS = ["EP-1", "EP-2"]


def _found(history: History, final: FinalState, terms: Terms) -> set[str]:
    return {each.kind for each in check_history(history, final, terms)}


def _with(history: History, changed: Operation) -> History:
    operations = (changed if each.id == changed.id else each for each in history.operations)
    return replace(history, operations=tuple(operations))


def _without(final: FinalState, gone: Operation) -> FinalState:
    log = tuple(each for each in final.events[gone.plan] if each.op_id != gone.id)
    return FinalState({**final.events, gone.plan: log})


EACH = {
    ("promote", "ok"),
    ("rebase", "ok"),
    ("read", "ok"),
    ("degraded_read", "ok"),
}
_GONE = "http://127.0.0.1:9"


def _code(operation: Operation) -> str:
    return "ok" if isinstance(operation.outcome, Ok) else operation.outcome.code


@asynchronous
async def test_traffic_promotes_and_passes_every_check(tmp_path: Path) -> None:
    async with running() as service:
        assert isinstance(service.store, MemoryStore)
        with Recorder(tmp_path / "history") as recorder:
            terms = TermRecorder(service.store, recorder)
            await terms.begin()
            following = asyncio.create_task(terms.follow())
            urls = {"test-sidecar": service.url, "gone": _GONE}
            mix = Mix(clients=6, pause_s=0.001, promotes_all=0.2, visits=0.5)
            traffic = Traffic(urls, service.token, recorder, PLANS, seed=1, run="r1", mix=mix)
            await traffic.register()
            stop = asyncio.Event()
            working = asyncio.create_task(traffic.work(stop))

            async def enough() -> bool:
                history = load(recorder.path)
                seen = {(each.kind, _code(each)) for each in history.operations}
                return seen >= EACH and history.acknowledged_promotions >= 20

            await eventually(enough, "20 promotions and each kind of answer", deadline_s=30)
            stop.set()
            await working
            following.cancel()
        history = load(recorder.path)
        submitted = {e.request["digest"] for e in history.operations if e.kind == "submit"}
        promoted_digests = {
            e.outcome.result["digest"]
            for e in history.operations
            if e.kind == "promote" and isinstance(e.outcome, Ok)
        }
        assert promoted_digests - submitted, "nothing was merged"
        assert not {_code(e) for e in history.operations} & {"MERGE_CONFLICT"}
        began = time.monotonic()
        assert await check_run(service.store, history, terms.found, PLANS) == []
        assert time.monotonic() - began < 10
        final = await read_final(service.store, PLANS)
    assert not any(each.unknown for each in history.operations)
    promoted, *_ = (e for e in history.operations if e.kind == "promote" and e.acknowledged)
    assert _found(history, _without(final, promoted), terms.found) >= {"lost", "non-linearizable"}
    refused = replace(promoted, outcome=Refused("NOT_LEADER"))
    assert "non-linearizable" in _found(_with(history, refused), final, terms.found)
    assert isinstance(promoted.outcome, Ok)
    told = {**promoted.outcome.result, "version": 99}
    other = replace(promoted, outcome=replace(promoted.outcome, result=told))
    assert "non-linearizable" in _found(_with(history, other), final, terms.found)
    assert _found(history, final, Terms((Term("other", 1),))) == {"old-fence"}


@asynchronous
async def test_a_sidecar_that_is_not_there_refuses(tmp_path: Path) -> None:
    with Recorder(tmp_path / "history") as recorder:
        mix = Mix(clients=1, attempts=2, pause_s=0.001, retry_pause_s=0.001)
        traffic = Traffic({"gone": _GONE}, "t", recorder, PLANS, seed=1, run="r1", mix=mix)
        stop = asyncio.Event()
        working = asyncio.create_task(traffic.work(stop))

        async def refused() -> bool:
            found = load(recorder.path).operations
            return any(each.outcome == Refused("UNREACHABLE") for each in found)

        await eventually(refused, "an operation is refused")
        stop.set()
        await working
    writes = [each for each in load(recorder.path).operations if each.writes]
    assert {each.tried for each in writes} == {("gone", "gone")}


_LOST = None
_DONE = httpx.Response(200, json={"act": "opened"}, headers={"BPS-Outcome": "repeated"})
_STANDBY = httpx.Response(503, json={"code": "NOT_LEADER", "retryable": True})


@pytest.mark.parametrize(
    ("answers", "repeats", "outcome"),
    [
        ([_LOST, _DONE], 1.0, Ok({"act": "opened"}, "repeated")),
        ([_STANDBY, _LOST, _STANDBY, _DONE], 1.0, Ok({"act": "opened"}, "repeated")),
        ([_LOST], 0.0, Unknown("ReadTimeout")),
        # A refusal of another attempt does not tell what became of the first.
        ([_LOST, _STANDBY, _STANDBY], 1.0, Unknown("ReadTimeout")),
        ([_STANDBY, _STANDBY, _STANDBY], 1.0, Refused("NOT_LEADER")),
    ],
)
def test_what_an_unknown_attempt_leaves(
    tmp_path: Path, answers: list[httpx.Response | None], repeats: float, outcome: Outcome
) -> None:
    @asynchronous
    async def test() -> None:
        ids: list[str] = []
        coming = iter(answers)

        def take(request: httpx.Request) -> httpx.Response:
            ids.append(request.headers["idempotency-key"])
            answer = next(coming)
            if answer is None:
                raise httpx.ReadTimeout("slow")
            return answer

        urls = {"s1": "http://s1", "s2": "http://s2"}
        mix = Mix(attempts=len(answers), retries_unknown=repeats, retry_pause_s=0.001)
        http = httpx.AsyncClient(transport=httpx.MockTransport(take))
        with Recorder(tmp_path / "history") as recorder:
            traffic = Traffic(urls, "t", recorder, PLANS, seed=1, run="r1", mix=mix)
            async with http:
                await Client(traffic, 0, http)._write(opening("EP-1", "trace", "cause"))
        (operation,) = load(recorder.path).operations
        assert operation.outcome == outcome
        assert ids == [operation.id] * len(answers)
        assert len(operation.tried) == len(answers)

    test()
