"""What becomes of requests whose answer is late, wrong, endless, or missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest

from bps.client import BpsClient, Target, responses, retries
from bps.client.leader import leader_url
from bps.client.problems import BY_CODE
from bps.core.error_catalogue import catalogue, explain
from bps.core.errors import (
    BpsError,
    ConfigError,
    Forbidden,
    IdempotencyKeyReused,
    NotLeader,
    OutcomeUnknown,
    Overloaded,
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
    wait = retries._wait

    def counted(state: Any) -> float:
        waited.append(wait(state))
        return 0.0

    monkeypatch.setattr(retries, "_wait", counted)
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
    assert 2.0 <= at_once[1] <= 4.0
    assert script.seen[0].headers["authorization"] == f"Bearer {token_of('supervisor')}"
    assert script.seen[0].headers["accept-encoding"] == "identity"


@asynchronous
async def test_a_read_is_not_repeated_for_ever() -> None:
    script = Script(httpx.ConnectError("refused"))
    async with client_of(script) as client:
        with pytest.raises(Unavailable, match="does not answer"):
            await read(client)
    assert len(script.seen) == retries.ATTEMPTS


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
async def test_a_write_is_sent_once_unless_an_answer_says_that_it_may_be_repeated(
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


LEADER = "http://127.0.0.1:9999"


def again(code: str, **facts: Any) -> httpx.Response:
    return problem(code, retryable=True, facts=facts)


@asynchronous
async def test_a_write_is_repeated_with_its_key_where_an_answer_says_so() -> None:
    script = Script(again("OVERLOADED"), again("CONTENDED"), problem("FORBIDDEN", 403))
    async with client_of(script) as client:
        with pytest.raises(Forbidden):
            await write(client)
    assert [request.headers["idempotency-key"] for request in script.seen] == ["op-1"] * 3
    left_ms = [int(request.headers["bps-timeout-ms"]) for request in script.seen]
    assert left_ms == sorted(left_ms, reverse=True)
    assert 1 <= left_ms[-1] <= left_ms[0] <= 10_000


@pytest.mark.parametrize(
    "then",
    [
        again("OVERLOADED"),
        again("NOT_LEADER"),
        httpx.ConnectError("refused"),
        problem("FORBIDDEN", 403),
        problem("UNAUTHENTICATED", 401),
    ],
)
@asynchronous
async def test_a_doubt_stays_until_it_is_settled(then: httpx.Response | Exception) -> None:
    script = Script(again("OUTCOME_UNKNOWN"), then)
    async with client_of(script) as client:
        with pytest.raises(OutcomeUnknown) as raised:
            await write(client)
    assert raised.value.facts["op"] == "op-1"
    assert len(script.seen) >= 2


@asynchronous
async def test_no_repetition_begins_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    refusal = again("OVERLOADED")
    refusal.headers["Retry-After"] = "5"
    script = Script(refusal)
    async with client_of(script, timeout_s=1.0) as client:
        with pytest.raises(Overloaded):
            await write(client)
    # What is left of the second when the request is built.
    assert 900 <= int(script.seen[0].headers["bps-timeout-ms"]) <= 1000
    assert len(script.seen) == 1


@asynchronous
async def test_a_write_goes_on_to_the_leader_that_is_named() -> None:
    script = Script(again("NOT_LEADER", url=LEADER), problem("FORBIDDEN", 403))
    async with client_of(script) as client:
        with pytest.raises(Forbidden):
            await write(client)
    assert [str(request.url.port) for request in script.seen] == ["None", "9999"]
    assert script.seen[1].headers["authorization"] == script.seen[0].headers["authorization"]


@asynchronous
async def test_at_most_two_sidecars_further() -> None:
    script = Script(
        again("NOT_LEADER", url="http://127.0.0.1:1"),
        again("NOT_LEADER", url="http://127.0.0.1:2"),
        problem("NOT_LEADER", facts={"url": "http://127.0.0.1:3"}),
    )
    async with client_of(script) as client:
        with pytest.raises(NotLeader):
            await write(client)
    assert [request.url.port for request in script.seen] == [None, 1, 2]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:9999",
        "http://evil.example.org",
        "http://user@127.0.0.1:9999",
        "ftp://127.0.0.1",
        "nonsense",
        7,
    ],
)
@asynchronous
async def test_the_token_goes_nowhere_less_safe(url: object) -> None:
    script = Script(again("NOT_LEADER", url=url))
    async with client_of(script) as client:
        with pytest.raises(NotLeader):
            await write(client)
    assert {(request.url.scheme, request.url.host) for request in script.seen} == {
        ("http", "127.0.0.1")
    }
    assert {request.url.port for request in script.seen} == {None}


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, 30.1, float("nan")])
def test_a_timeout_out_of_range_is_refused(timeout_s: float) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        BpsClient.connect("http://127.0.0.1", timeout_s=timeout_s)


def test_from_https_to_https_only() -> None:
    target = Target.of("https://a.example.org", token=token_of("supervisor"))
    to = {url: leader_url(NotLeader("No.", url=url), target) for url in ("https://b", "http://b")}
    assert to == {"https://b": "https://b", "http://b": None}
    assert leader_url(NotLeader("No.", url="http://127.0.0.1"), target) is None
    assert leader_url(Overloaded("No.", url="https://b"), target) is None


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
    monkeypatch.setattr(responses, "MAX_ANSWER_BYTES", 1_000)
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
