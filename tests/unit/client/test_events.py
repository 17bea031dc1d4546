"""Streams go on through whatever happens to a connection; each event comes once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import httpx
import orjson
import pytest

from bps.client import BpsClient, Target, event_calls
from bps.core.errors import (
    BpsError,
    ChainBroken,
    Compacted,
    MalformedRecord,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from tests.asynchronous import asynchronous
from tests.unit.client.services import URL, served_client
from tests.unit.client.test_transport import problem
from tests.unit.http.harness import token_of

Step = bytes | Exception


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_calls, "_FIRST_WAIT_S", 0.0)


def cloud_event(plan: str, seq: int) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(seq),
            "source": f"/plans/{plan}",
            "type": "io.haios.bps.trace_linked",
            "time": "2026-11-21T00:00:00.000Z",
            "datacontenttype": "application/json",
            "bpsactor": "canonical",
            "bpscounter": "1",
            "bpsoperation": "a/b",
            "bpsprev": "0" * 64,
            "data": {},
            "of_a_later_release": 1,
        }
    )


def frame(event_id: str, seq: int, plan: str = "EP-1") -> bytes:
    return b"id: %b\nevent: x\ndata: %b\n\n" % (event_id.encode(), cloud_event(plan, seq))


class Body(httpx.AsyncByteStream):
    """Bytes, then a failure where one is named."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = list(steps)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            yield step


class Streams(httpx.AsyncBaseTransport):
    """One connection after the other, as the test says; the last is for ever silent."""

    def __init__(self, *connections: list[Step] | httpx.Response | Exception) -> None:
        self._connections = list(connections)
        self.asked: list[tuple[str | None, str | None]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after")
        self.asked.append((after, request.headers.get("last-event-id")))
        if not self._connections:
            await asyncio.Event().wait()
        connection = self._connections.pop(0)
        if isinstance(connection, Exception):
            raise connection
        if isinstance(connection, httpx.Response):
            body = httpx.ByteStream(connection.content)
            return httpx.Response(connection.status_code, headers=connection.headers, stream=body)
        headers = {"content-type": "text/event-stream; charset=utf-8"}
        return httpx.Response(200, headers=headers, stream=Body(connection))

    def client(self) -> BpsClient:
        return BpsClient(Target.of(URL, token=token_of("t")), transport=self)


async def taken(client: BpsClient, count: int, after: int = 0) -> list[str]:
    found: list[str] = []
    async with aclosing(client.events("EP-1", after=after)) as events:
        async for event in events:
            found.append(event.id)
            if len(found) == count:
                break
    return found


@asynchronous
async def test_a_stream_goes_on_after_the_last_event_that_came_in_full() -> None:
    streams = Streams(
        [frame("3", 3), frame("4", 4)[:-1]],
        httpx.ConnectError("refused"),
        problem("NOT_LEADER", 503, retryable=True),
        [b"retry: 1\nid: 3\n\n", frame("3", 3), frame("4", 4), httpx.ReadError("reset")],
        [b": draining\n\n"],
        [frame("5", 5)],
    )
    async with streams.client() as client:
        assert await taken(client, 3, after=2) == ["3", "4", "5"]
    assert streams.asked == [("2", None), *[(None, "3")] * 3, (None, "4"), (None, "4")]


@asynchronous
async def test_a_service_that_is_not_there_is_told_at_the_beginning_only() -> None:
    async with Streams(*[httpx.ConnectError("refused")] * 9).client() as client:
        with pytest.raises(Unavailable):
            await taken(client, 1)
    streams = Streams([frame("1", 1)], *[httpx.ConnectError("refused")] * 9, [frame("2", 2)])
    async with streams.client() as client:
        assert await taken(client, 2) == ["1", "2"]


@pytest.mark.parametrize(
    ("connections", "expected"),
    [
        ([problem("NOT_FOUND", 404)], NotFound),
        ([[], problem("UNAUTHENTICATED", 401)], Unauthenticated),
        ([[frame("2", 2)]], ChainBroken),
        ([[b"id: 1\ndata: no json\n\n"]], BpsError),
        ([[b'id: 1\nevent: problem\ndata: {"code": "MALFORMED_RECORD"}\n\n']], MalformedRecord),
        ([httpx.Response(200, text="<html>")], BpsError),
    ],
)
@asynchronous
async def test_what_ends_a_stream(connections: list[Any], expected: type[BpsError]) -> None:
    async with Streams(*connections).client() as client:
        with pytest.raises(expected):
            await taken(client, 1)


@asynchronous
async def test_events_of_all_plans_come_once_however_often_they_are_sent() -> None:
    streams = Streams(
        [b"id: 7-0\n\n", frame("8-1", 1), frame("8-2", 1, "EP-2"), b"id: 12-0\n\n"],
        [frame("8-2", 1, "EP-2"), frame("12-1", 2)],
    )
    async with streams.client() as client, aclosing(client.all_events()) as published:
        found = [(each.id, each.event.source) async for each in take(published, 3)]
    assert found == [("8-1", "/plans/EP-1"), ("8-2", "/plans/EP-2"), ("12-1", "/plans/EP-1")]
    assert streams.asked == [(None, None), (None, "12-0")]


@asynchronous
async def test_lost_events_are_told_with_where_to_go_on() -> None:
    lost = b'id: 90-0\nevent: compacted\ndata: {"relist_at": "89"}\n\n'
    async with Streams([lost]).client() as client:
        with pytest.raises(Compacted) as told:
            await anext(client.all_events(after="3"))
    assert told.value.facts == {"relist_at": "89", "id": "90-0"}


@asynchronous
async def test_a_log_is_read_to_its_end_through_the_service() -> None:
    async with served_client() as (client, _):
        await client.register_plan("EP-1", b"a: 1\n")
        for n in range(3):
            await client.open_branch("EP-1", trace_id=f"t-{n}", fingerprint=f"f-{n}")
        assert [event.id async for event in client.log("EP-1", after=1)] == ["2", "3", "4"]


async def take(found: AsyncIterator[Any], count: int) -> AsyncIterator[Any]:
    for _ in range(count):
        yield await anext(found)
