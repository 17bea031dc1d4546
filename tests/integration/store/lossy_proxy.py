"""A TCP proxy that can lose what the server answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_CHUNK_BYTES = 65_536


class LossyProxy:
    """Forwards both ways; while `loses_answers`, what the server says is swallowed."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self._handlers: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.loses_answers = False
        self.lost_bytes = 0
        self.endpoint = ""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        pair = {writer, up_writer}
        self._writers |= pair
        await asyncio.gather(
            self._forward(reader, up_writer, answers=False),
            self._forward(up_reader, writer, answers=True),
        )
        self._writers -= pair
        for each in pair:
            with suppress(OSError):
                await each.wait_closed()
        self._handlers.discard(handler)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if answers and self.loses_answers:
                    self.lost_bytes += len(chunk)
                else:
                    writer.write(chunk)
                    await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self) -> asyncio.Server:
        """Begin to listen."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.endpoint = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def close(self) -> None:
        """Reset every connection and wait for its end."""
        self.cut()
        await asyncio.gather(*self._handlers)


@asynccontextmanager
async def lossy_proxy(target: str) -> AsyncIterator[LossyProxy]:
    """A proxy in front of `target` (`host:port`), on a free loopback port."""
    proxy = LossyProxy(target)
    async with await proxy.serve() as server:
        yield proxy
        server.close()
        await proxy.close()
