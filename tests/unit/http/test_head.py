"""HEAD answers as GET does, without content; also on the wire, and for what never ends."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from bps.http.middleware import Edge
from bps.http.streams import MEDIA_TYPE
from tests.asynchronous import HANGS_S, asynchronous
from tests.unit.http.harness import served
from tests.unit.http.sockets import connected, listening, on_uvloop

YAML = {"Content-Type": "application/yaml"}
OWN = {"bps-age-ms", "traceparent", "bps-trace-id", "date"}
PATHS = (
    "/livez",
    "/readyz",
    "/docs",
    "/openapi.json",
    "/problems/merge-conflict",
    "/v1/identity",
    "/v1/plans",
    "/v1/plans/EP-42",
    "/v1/plans/EP-42/canonical",
    "/v1/plans/EP-42/canonical/blueprint",
    "/v1/plans/EP-42/verification",
    "/v1/plans/EP-43",
    "/v1/policy",
    "/v1/nothing",
)


@asynchronous
async def test_the_headers_are_those_of_get() -> None:
    async with served() as service:
        await service.call("PUT", "/v1/plans/EP-42", content=b"title: a", headers=YAML)
        for path in PATHS:
            got = await service.call("GET", path)
            head = await service.call("HEAD", path)
            assert head.status_code == got.status_code, path
            assert head.content == b"", path
            named = [
                {name: value for name, value in answer.headers.items() if name not in OWN}
                for answer in (got, head)
            ]
            assert named[0] == named[1], path


@asynchronous
async def test_head_needs_the_roles_of_get_and_matches_its_etag() -> None:
    async with served() as service:
        await service.call("PUT", "/v1/plans/EP-42", content=b"title: a", headers=YAML)
        path = "/v1/plans/EP-42/canonical"
        assert (await service.call("HEAD", path, role=None)).status_code == 401
        assert (await service.call("HEAD", "/v1/doctor", role="agent")).status_code == 403
        etag = (await service.call("HEAD", path)).headers["etag"]
        known = await service.call("HEAD", path, headers={"If-None-Match": etag})
        assert known.status_code == 304
        only_post = await service.call("HEAD", "/v1/plans/EP-42/promotions")
        assert (only_post.status_code, only_post.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("accepted", ["application/json", MEDIA_TYPE])
@asynchronous
async def test_head_of_events_neither_waits_nor_streams(accepted: str) -> None:
    async with served() as service, asyncio.timeout(HANGS_S):
        path = "/v1/events?wait_s=60"
        head = await service.call("HEAD", path, headers={"Accept": accepted})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"].startswith(accepted)


@on_uvloop
async def test_nothing_follows_the_headers_on_the_wire_and_an_endless_answer_ends() -> None:
    ended = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive())["type"] != "http.disconnect":
            await send({"type": "http.response.body", "body": b"more", "more_body": True})
        ended.set()

    async with listening(Edge(endless)) as port, connected(port) as raw:
        for _ in range(2):
            await raw.send(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await raw.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
        assert ended.is_set()
        raw.writer.write_eof()
        assert await raw.rest() == b""
