"""Raw bytes to a real listener on 127.0.0.1, and what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import uvloop
from starlette.types import ASGIApp

from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen

P = ParamSpec("P")

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


def on_uvloop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in the event loop that the service runs in."""

    @wraps(test)
    def synchronous(*args: P.args, **kwargs: P.kwargs) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(30):
                await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(bounded())

    return synchronous


@dataclass(slots=True)
class Raw:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """All that comes until the service closes the connection."""
        data = b""
        with suppress(ConnectionResetError):
            while more := await self.reader.read(65_536):
                data += more
        return data

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer with a Content-Length."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(first.split()[1]), headers, body

    async def problem(self) -> dict[str, Any]:
        """The next answer, which must be a problem."""
        status, headers, body = await self.answer()
        assert headers["content-type"] == "application/problem+json"
        assert "server" not in headers
        found: dict[str, Any] = json.loads(body)
        assert found["status"] == status
        assert len(found["trace_id"]) == 32
        return found

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def listening(app: ASGIApp, limits: Limits | None = None) -> AsyncIterator[HttpServer]:
    """`app` on a free port."""
    async with HttpServer(app, Listen(port=0), limits or Limits()) as server:
        yield server


@asynccontextmanager
async def connected(server: HttpServer) -> AsyncIterator[Raw]:
    """A connection to it."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    raw = Raw(reader, writer)
    try:
        yield raw
    finally:
        await raw.close()
