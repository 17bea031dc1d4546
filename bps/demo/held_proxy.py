"""A TCP proxy before etcd that stops a chosen request on its way, or only its reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum

_CHUNK_BYTES = 65_536


class Hold(Enum):
    """What is held when the marker passes."""

    REQUEST = "request"
    REPLY = "reply"


class HeldProxy:
    """Forwards bytes until `marker` appears in a request; then it holds, for good.

    HELD REQUEST: not even its last part reaches etcd, so it is never applied. HELD REPLY: etcd
    gets all of it and applies it, but the client never hears of that.
    """

    def __init__(self, upstream: str, marker: bytes, hold: Hold) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self._marker = marker
        self._hold = hold
        self.endpoint = ""
        self.reached = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HeldProxy]:
        """Listen on a free loopback port while the context lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.endpoint = f"{host}:{port}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        upstream, to_upstream = await asyncio.open_connection(*self._upstream)
        ways = (
            asyncio.create_task(self._requests(client, to_upstream)),
            asyncio.create_task(self._replies(upstream, to_client)),
        )
        _, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in pending:
            way.cancel()
        for writer in (to_upstream, to_client):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _requests(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        tail = b""
        while data := await _read(source):
            if self._marker in tail + data:
                self.reached.set()
            tail = (tail + data)[-len(self._marker) :]
            if self.reached.is_set() and self._hold is Hold.REQUEST:
                continue
            sink.write(data)
            await sink.drain()

    async def _replies(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await _read(source):
            if not self.reached.is_set():
                sink.write(data)
                await sink.drain()


async def _read(source: asyncio.StreamReader) -> bytes:
    with suppress(OSError):
        return await source.read(_CHUNK_BYTES)
    return b""
