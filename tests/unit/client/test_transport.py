"""What becomes of requests whose answer is late, wrong, endless, or missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from bps.client import BpsClient
from bps.client import transport as transport_module
from bps.client.problems import BY_CODE
from bps.core.error_catalogue import catalogue, explain
from bps.core.errors import (
    BpsError,
    ConfigError,
    Forbidden,
    IdempotencyKeyReused,
    NotLeader,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from tests.asynchronous import asynchronous
from tests.unit.client.services import client_of
from tests.unit.http.harness import token_of

PROBLEM = "application/problem+json"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waiting between attempts takes no time; how long it would have been is told."""
    waited: list[float] = []
    wait = transport_module._wait

    def counted(state: Any) -> float:
        waited.append(wait(state))
        return 0.0

    monkeypatch.setattr(transport_module, "_wait", counted)
    return waited


def problem(code: str, status: int = 503, **members: Any) -> httpx.Response:
    fields = {"code": code, "detail": "It is so.", "status": status, **members}
    return httpx.Response(status, content=orjson.dumps(fields), headers={"content-type": PROBLEM})


class Script:
    """Answers one request after the other; the last answer again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers[min(len(self.seen), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def read(client: BpsClient) -> Any:
    return await client.identity()


async def write(client: BpsClient) -> Any:
    return await client.fail_branch("EP-1", "66400e4b", "why", op_id="op-1")


IDENTITY = {"principal": "a", "roles": ["agent"], "credential": "c", "of_a_later_release": 1}


@asynchronous
async def test_a_read_is_repeated_where_the_failure_may_pass(at_once: list[float]) -> None:
    retry = problem("NOT_LEADER", retryable=True)
    retry.headers["Retry-After"] = "2"
    script = Script(httpx.ReadError("gone"), retry, httpx.Response(200, json=IDENTITY))
    async with client_of(script) as client:
        assert (await client.identity()).principal == "a"
    assert len(script.seen) == 3
    assert at_once[1] == 2.0
    assert script.seen[0].headers["authorization"] == f"Bearer {token_of('supervisor')}"
    assert script.seen[0].headers["accept-encoding"] == "identity"


@asynchronous
async def test_a_read_is_not_repeated_for_ever() -> None:
    script = Script(httpx.ConnectError("refused"))
    async with client_of(script) as client:
        with pytest.raises(Unavailable, match="does not answer"):
            await read(client)
    assert len(script.seen) == transport_module.READ_ATTEMPTS


@asynchronous
async def test_a_long_wait_is_left_to_the_caller() -> None:
    limited = problem("RATE_LIMITED", 429, retryable=True)
    limited.headers["Retry-After"] = "3600"
    script = Script(limited)
    async with client_of(script) as client:
        with pytest.raises(RateLimited):
            await read(client)
    assert len(script.seen) == 1


@pytest.mark.parametrize("act", [read, write])
@asynchronous
async def test_a_refusal_is_not_repeated(act: Callable[[BpsClient], Any]) -> None:
    script = Script(problem("FORBIDDEN", 403))
    async with client_of(script) as client:
        with pytest.raises(Forbidden, match=r"It is so\."):
            await act(client)
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ConnectTimeout("late"), Unavailable),
        (httpx.PoolTimeout("late"), Unavailable),
        (httpx.ReadTimeout("late"), OutcomeUnknown),
        (httpx.WriteError("broken pipe"), OutcomeUnknown),
        (httpx.ReadError("reset"), OutcomeUnknown),
        (httpx.RemoteProtocolError("closed"), OutcomeUnknown),
        (httpx.Response(502, text="<html>"), OutcomeUnknown),
        (httpx.Response(504, text=""), OutcomeUnknown),
        (httpx.Response(200, text="<html>"), OutcomeUnknown),
        (httpx.Response(200, json={"act": "failed"}), OutcomeUnknown),
        (problem("BPS_ERROR", 500), OutcomeUnknown),
        (problem("OF_A_LATER_RELEASE", 503), OutcomeUnknown),
        (problem("OUTCOME_UNKNOWN", 503), OutcomeUnknown),
        (problem("NOT_LEADER", 503), NotLeader),
        (problem("IDEMPOTENCY_KEY_REUSED", 422), IdempotencyKeyReused),
        (httpx.Response(301, headers={"location": "http://evil.example.org"}), ConfigError),
        (httpx.Response(404, text="nothing here"), ConfigError),
    ],
)
@asynchronous
async def test_a_write_is_sent_once_whatever_happens(
    failure: httpx.Response | Exception, expected: type[BpsError]
) -> None:
    script = Script(failure)
    async with client_of(script) as client:
        with pytest.raises(expected) as raised:
            await write(client)
    assert type(raised.value) is expected
    assert [request.headers["idempotency-key"] for request in script.seen] == ["op-1"]
    if expected is OutcomeUnknown:
        assert raised.value.facts["op"] == "op-1"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, text="<html>"), ConfigError),
        (httpx.Response(200, json={"principal": 7}), ConfigError),
        (httpx.Response(200, headers={"content-encoding": "gzip"}, content=b""), ConfigError),
        (httpx.Response(302, headers={"location": "http://evil.example.org"}), ConfigError),
        (httpx.Response(502, text="bad gateway"), Unavailable),
        (problem("OF_A_LATER_RELEASE", 409), BpsError),
        (problem("BPS_ERROR", 500), BpsError),
    ],
)
@asynchronous
async def test_answers_that_are_none_of_ours(
    answer: httpx.Response, expected: type[BpsError]
) -> None:
    script = Script(answer)
    async with client_of(script) as client:
        with pytest.raises(expected) as raised:
            await read(client)
    assert type(raised.value) is expected
    assert all(request.url.host == "127.0.0.1" for request in script.seen)


@asynchronous
async def test_an_endless_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "MAX_ANSWER_BYTES", 1_000)
    async with client_of(lambda _: httpx.Response(200, content=b"x" * 1_001)) as client:
        with pytest.raises(ConfigError, match="not a BPS service"):
            await client.blueprint("EP-1")


@asynchronous
async def test_a_code_of_a_later_release_keeps_its_text() -> None:
    async with client_of(lambda _: problem("LATER", 409, facts={"message": 1})) as client:
        with pytest.raises(BpsError, match="LATER") as raised:
            await read(client)
    assert raised.value.facts == {"message": 1, "service_code": "LATER"}


def test_every_code_has_its_class() -> None:
    assert set(BY_CODE) == set(catalogue())
    assert all(explain(kind).code == code for code, kind in BY_CODE.items())


@pytest.mark.parametrize("segment", ["../../x", "a/b", "?x", "#x", "%2f", "EP-1-RR(br1)-1"])
@asynchronous
async def test_no_name_leaves_its_place_in_the_path(segment: str) -> None:
    script = Script(problem("INVALID_ID", 400))
    async with client_of(script) as client:
        with pytest.raises(BpsError):
            await client.rr_plan("EP-1", segment)
    path = script.seen[0].url.raw_path.decode()
    assert path.startswith("/v1/plans/EP-1/branches/")
    assert path.count("/") == 5


@asynchronous
async def test_pages_are_followed_to_their_end() -> None:
    view = {
        "plan": "EP-1",
        "initiative": "default",
        "title": "",
        "status": "SEALED",
        "digest": "0" * 64,
        "size_bytes": 1,
        "registered_ms": 1,
        "registered_by": "a",
    }
    pages = {
        None: {"items": [view, view], "next_cursor": "a&b"},
        "a&b": {"items": [view], "next_cursor": None},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.params.get("cursor")])

    async with client_of(answer) as client:
        assert len([each async for each in client.plans()]) == 3
