"""Proofs over HTTP, and how many run at once."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from bps.core import keys
from bps.core.errors import TooManyProofs
from bps.core.txn import Put, Txn
from bps.http.connected import while_connected
from bps.http.proof_slots import ProofSlots
from tests.asynchronous import asynchronous
from tests.unit.http.harness import served

YAML = {"Content-Type": "application/yaml"}
PLAN = "/v1/plans/EP-42"


@asynchronous
async def test_a_plan_is_verified_and_replayed_and_holds_its_receipt() -> None:
    async with served() as service:
        made = await service.call("PUT", PLAN, content=b"title: a", headers=YAML)
        receipt = made.json()["receipt"]
        asked = {"receipt_seq": receipt["seq"], "receipt_hash": receipt["hash"]}
        verified = await service.call("GET", f"{PLAN}/verification", role="auditor", params=asked)
        assert (verified.status_code, verified.json()["receipt"]) == (200, True)
        replayed = await service.call("GET", f"{PLAN}/replay", role="auditor")
        assert (replayed.status_code, replayed.json()["events"]) == (200, "1")
        wrong = {**asked, "receipt_hash": "0" * 64}
        forged = await service.call("GET", f"{PLAN}/verification", params=wrong)
        assert (forged.status_code, forged.json()["code"]) == (409, "RECEIPT_REFUTED")
        assert forged.json()["facts"]["index"] == 1
        for half in ({"receipt_seq": "1"}, {"receipt_hash": "0" * 64}, {"receipt_seq": "x"}):
            refused = await service.call("GET", f"{PLAN}/verification", params=half)
            assert refused.json()["code"] == "INVALID_INPUT"


@asynchronous
async def test_a_changed_byte_is_found_whatever_receipt_is_given() -> None:
    async with served() as service:
        await service.call("PUT", PLAN, content=b"title: a", headers=YAML)
        await service.store.commit(Txn((), (Put(keys.PlanKeys("EP-42").body(1), b"{}"),)))
        false = f"verification?receipt_seq=1&receipt_hash={'0' * 64}"
        for proof in ("verification", "replay", false):
            answer = await service.call("GET", f"{PLAN}/{proof}")
            assert (answer.status_code, answer.json()["code"]) == (500, "CHAIN_BROKEN")
            assert answer.headers["Content-Type"] == "application/problem+json"


@asynchronous
async def test_no_more_proofs_run_than_there_are_slots() -> None:
    async with served() as service:
        proofs = service.client._transport.app.state.service.proofs  # type: ignore[attr-defined]
        with proofs.held("EP-1"), proofs.held("EP-2"):
            busy = await service.call("GET", f"{PLAN}/verification")
            assert (busy.status_code, busy.json()["code"]) == (503, "TOO_MANY_PROOFS")
            assert int(busy.headers["Retry-After"]) > 0
        assert (await service.call("GET", f"{PLAN}/verification")).status_code == 404


def test_one_proof_of_a_plan_runs_at_a_time_and_a_slot_comes_back() -> None:
    slots = ProofSlots(2)
    with slots.held("EP-1"), pytest.raises(TooManyProofs), slots.held("EP-1"):
        pass
    with pytest.raises(KeyError), slots.held("EP-1"):
        raise KeyError
    with slots.held("EP-1"), slots.held("EP-2"), pytest.raises(TooManyProofs), slots.held("EP-3"):
        pass


@asynchronous
async def test_the_doctor_looks_at_the_store_and_at_the_sidecar() -> None:
    async with served() as service:
        checks = (await service.call("GET", "/v1/doctor", role="auditor")).json()
        found = {check["check"]: check["status"] for check in checks}
        for check in ("members", "quorum", "store", "leader", "mode", "watch"):
            assert found[check] == "ok"
        assert (await service.call("GET", "/v1/doctor")).status_code == 403


@asynchronous
async def test_a_proof_whose_caller_went_away_ends_and_its_slot_comes_back() -> None:
    begun, ended, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    slots = ProofSlots(1)

    async def prove() -> None:
        request = Request({"type": "http", "method": "GET", "headers": []}, receive)
        with slots.held("EP-1"):
            await while_connected(request, work())

    proof = asyncio.create_task(prove())
    await begun.wait()
    gone.set()
    with pytest.raises(ClientDisconnect):
        await proof
    assert ended.is_set()
    with slots.held("EP-1"):
        pass


@asynchronous
async def test_work_that_fails_or_is_cancelled_does_so_by_itself() -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def fail() -> None:
        raise TooManyProofs("busy")

    request = Request({"type": "http", "method": "GET", "headers": []}, receive)
    with pytest.raises(TooManyProofs):
        await while_connected(request, fail())
    waiting = asyncio.create_task(while_connected(request, asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
