"""What an answer says: only a named refusal refuses."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from tests.asynchronous import asynchronous
from tests.fault.attempt import UNREACHABLE, Answer, opening, reading, send, understood
from tests.fault.history import Ok, Refused, Unknown
from tests.unit.fault.story import PLAN


def _problem(status: int, code: str, *, retryable: bool = True) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "retryable": retryable})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_problem(409, "MERGE_CONFLICT", retryable=False), Answer(Refused("MERGE_CONFLICT"))),
        (_problem(503, "NOT_LEADER"), Answer(Refused("NOT_LEADER"), retryable=True)),
        (_problem(503, "OUTCOME_UNKNOWN"), Answer(Unknown("OUTCOME_UNKNOWN"), retryable=True)),
        (_problem(500, "BPS_ERROR"), Answer(Unknown("BPS_ERROR"), retryable=True)),
        (_problem(500, "MALFORMED_RECORD"), Answer(Unknown("MALFORMED_RECORD"), retryable=True)),
        (httpx.Response(502, text="gateway"), Answer(Unknown("NO_PROBLEM"), retryable=True)),
        (httpx.Response(404, text="[]"), Answer(Unknown("NO_PROBLEM"), retryable=True)),
        (httpx.Response(200, text="cut o"), Answer(Unknown("NO_PROBLEM"))),
    ],
)
def test_failures(answer: httpx.Response, expected: Answer) -> None:
    assert understood(answer) == expected


def test_success_keeps_result_and_labels() -> None:
    receipt = {"plan": PLAN, "seq": "7", "hash": "f" * 64, "schema": 1}
    body = {"version": "3", "digest": "d", "contributors": [], "receipt": receipt}
    headers = {"BPS-Outcome": "repeated"}
    answer = understood(httpx.Response(201, json=body, headers=headers))
    kept = {"plan": PLAN, "seq": 7, "hash": "f" * 64}
    expected = Ok({"version": 3, "digest": "d", "receipt": kept}, "repeated")
    assert answer == Answer(expected)
    headers = {"BPS-Revision": "12", "BPS-Consistency": "cache", "BPS-Age-Ms": "40"}
    read = understood(httpx.Response(200, json={"version": "3", "digest": "d"}, headers=headers))
    labelled = Ok({"version": 3, "digest": "d"}, "committed", 12, "cache", 40)
    assert read == Answer(labelled)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("refused"), Refused(UNREACHABLE)),
        (httpx.ConnectTimeout("slow"), Refused(UNREACHABLE)),
        (httpx.ReadTimeout("slow"), Unknown("ReadTimeout")),
        (httpx.ReadError("reset"), Unknown("ReadError")),
        (httpx.RemoteProtocolError("cut"), Unknown("RemoteProtocolError")),
    ],
)
def test_a_request_that_was_sent_and_not_answered_is_unknown(
    error: httpx.TransportError, outcome: Any
) -> None:
    @asynchronous
    async def test() -> None:
        def fail(request: httpx.Request) -> httpx.Response:
            raise error

        async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
            answer = await send(http, "http://sidecar", reading(PLAN), "op")
        assert answer == Answer(outcome, retryable=True)

    test()


@asynchronous
async def test_writes_carry_their_operation_id() -> None:
    sent: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json={"act": "opened"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as http:
        await send(http, "http://sidecar", opening(PLAN, "trace", "cause"), "op-1")
        await send(http, "http://sidecar", reading(PLAN), "op-2")
    write, read = sent
    assert write.headers["idempotency-key"] == "op-1"
    assert orjson.loads(write.content) == {"trace_id": "trace", "fingerprint": "cause"}
    assert "idempotency-key" not in read.headers
    assert read.headers["cache-control"] == "no-cache"
