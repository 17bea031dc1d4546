"""Bodies over real sockets: their size, their time, and that reading stops at the bound."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.clock import SystemClock
from bps.http.limits import Limits
from bps.http.service import Service
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.unit.http.harness import RoleGuard
from tests.unit.http.sockets import Raw, connected, listening, on_uvloop
from tests.unit.http.test_problems import app_of

LIMITS = Limits(max_json_bytes=1_000, max_blueprint_bytes=2_000, body_deadline_s=0.2)
HEAD = (
    b"POST /v1/json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer supervisor\r\n"
    b"Idempotency-Key: a\r\nContent-Type: application/json\r\n"
)


@asynccontextmanager
async def asked() -> AsyncIterator[Raw]:
    clock = SystemClock()
    sidecar = Sidecar(MemoryStore(clock), clock, SidecarSettings("test"))
    app = app_of(Service(sidecar, RoleGuard(), LIMITS))
    async with listening(app, LIMITS) as server, connected(server) as raw:
        yield raw


@on_uvloop
async def test_a_declared_length_over_the_limit_is_refused_before_a_byte_is_sent() -> None:
    async with asked() as raw:
        await raw.send(HEAD + b"Content-Length: 1001\r\n\r\n")
        problem = await raw.problem()
        assert problem["code"] == "REQUEST_TOO_LARGE"
        assert problem["facts"] == {"limit_bytes": 1_000}


@on_uvloop
async def test_who_waits_to_be_told_to_continue_is_told_no_instead() -> None:
    async with asked() as raw:
        await raw.send(HEAD + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
        assert (await raw.problem())["code"] == "REQUEST_TOO_LARGE"


@on_uvloop
async def test_a_chunked_body_is_read_up_to_the_limit_only() -> None:
    async with asked() as raw:
        await raw.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):
            await raw.send(b"64\r\n" + b" " * 100 + b"\r\n")
        assert (await raw.problem())["code"] == "REQUEST_TOO_LARGE"
        assert await raw.rest() == b""


@on_uvloop
async def test_a_body_in_small_chunks_within_the_limit_is_taken() -> None:
    async with asked() as raw:
        await raw.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for byte in b'{"number":1}':
            await raw.send(b"1\r\n" + bytes([byte]) + b"\r\n")
        await raw.send(b"0\r\n\r\n")
        assert (await raw.answer())[0] == 200


@pytest.mark.parametrize("more", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_does_not_come_is_a_problem_in_time(more: bytes) -> None:
    @on_uvloop
    async def ask() -> None:
        async with asked() as raw:
            await raw.send(HEAD + more + b"\r\n")
            assert (await raw.problem())["code"] == "REQUEST_TIMED_OUT"
            assert await raw.rest() == b""

    ask()


@on_uvloop
async def test_a_broken_chunk_in_the_middle_of_a_body_is_a_problem() -> None:
    async with asked() as raw:
        await raw.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")
        await raw.send(b"zz\r\n")
        assert (await raw.problem())["code"] == "REQUEST_ERROR"
        assert await raw.rest() == b""
