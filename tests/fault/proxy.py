"""A TCP proxy between one sidecar and all members, whose faults are switches read per chunk."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import Enum

from tests.cluster.free_ports import HOST

_CHUNK_BYTES = 65_536


class Side(Enum):
    """What a trap stops: the request that it waits for, or the reply to it."""

    REQUEST = "request"
    REPLY = "reply"


class Trap:
    """Springs once, when `marker` passes on the way to etcd.

    REQUEST: the rest of the request is held until `release`, so that it is applied late or never.
    REPLY: the request passes and is applied; of the answers nothing passes any more.
    """

    def __init__(self, marker: bytes, side: Side) -> None:
        self.marker = marker
        self.side = side
        self.sprung = asyncio.Event()
        self._released = asyncio.Event()
        self.drops = False

    def release(self, *, dropping: bool = False) -> None:
        """Let what is held pass, or drop it."""
        self.drops = dropping
        self._released.set()

    async def released(self) -> None:
        """Wait for `release`."""
        await self._released.wait()


class FaultyProxy:
    """One loopback port per member. `counts` says what each switch has done so far.

    Attributes:
        stalled: nothing passes either way, and nothing is refused, as in a partition.
        loses_answers: what etcd says is swallowed.
        delay_s: before each chunk passes, either way.
        loss: share of chunks that pass only after `resend_s`, as TCP makes of lost packets.
    """

    def __init__(self, targets: Sequence[str], source: random.Random) -> None:
        self._targets = targets
        self._source = source
        self._servers: list[asyncio.Server] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._passable = asyncio.Event()
        self._passable.set()
        self.loses_answers = False
        self.delay_s = 0.0
        self.loss = 0.0
        self.resend_s = (0.2, 0.8)
        self.trap: Trap | None = None
        self.counts: Counter[str] = Counter()

    @property
    def endpoints(self) -> list[str]:
        """`127.0.0.1:port` for each member, in their order."""
        return [f"{HOST}:{server.sockets[0].getsockname()[1]}" for server in self._servers]

    @property
    def stalled(self) -> bool:
        """Whether nothing passes."""
        return not self._passable.is_set()

    @stalled.setter
    def stalled(self, value: bool) -> None:
        if value:
            self._passable.clear()
        else:
            self._passable.set()

    async def open(self) -> None:
        """Begin to listen."""
        for target in self._targets:
            self._servers.append(await asyncio.start_server(self._accepting(target), HOST, 0))

    async def close(self) -> None:
        """Reset all connections and stop listening."""
        for server in self._servers:
            server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def reset(self) -> None:
        """Reset every connection, both ends."""
        for writer in list(self._writers):
            self.counts["resets"] += 1
            writer.transport.abort()

    def set_trap(self, marker: bytes, side: Side) -> Trap:
        """A trap for the next request that holds `marker`; it takes the place of the one before."""
        self.trap = Trap(marker, side)
        return self.trap

    def calm(self) -> None:
        """All switches off; connections that lost bytes are reset, as what follows has no sense."""
        lost = self.loses_answers
        self.loses_answers, self.delay_s, self.loss = False, 0.0, 0.0
        if self.trap is not None:
            self.trap.release(dropping=True)
            lost = lost or self.trap.sprung.is_set()
            self.trap = None
        if lost:
            self.reset()
        self.stalled = False

    def _accepting(
        self, target: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._carrying.add(task)
            try:
                await self._carry(target, reader, writer)
            finally:
                self._carrying.discard(task)

        return accept

    async def _carry(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        pair = {writer}
        self._writers.add(writer)
        try:
            if self.stalled:
                self.counts["stalled"] += 1
                await self._passable.wait()
            host, _, port = target.rpartition(":")
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
            pair.add(up_writer)
            self._writers.add(up_writer)
            ways = [
                asyncio.create_task(self._requests(reader, up_writer)),
                asyncio.create_task(self._answers(up_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            self.counts["unreachable"] += 1
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _requests(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        tail = b""
        while data := await _read(source):
            trap = self.trap
            if trap is not None and not trap.sprung.is_set() and trap.marker in tail + data:
                trap.sprung.set()
                self.counts[f"{trap.side.value}s trapped"] += 1
                if trap.side is Side.REPLY:
                    self.loses_answers = True
                else:
                    await trap.released()
                    if trap.drops or sink.is_closing():
                        return
                    self.counts["late requests"] += 1
            tail = (tail + data)[-_CHUNK_BYTES // 64 :]
            await self._pass(data, sink)

    async def _answers(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await _read(source):
            if self.loses_answers:
                self.counts["answers lost"] += 1
            else:
                await self._pass(data, sink)

    async def _pass(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        if self.delay_s:
            self.counts["delayed"] += 1
            await asyncio.sleep(self.delay_s)
        if self.loss and self._source.random() < self.loss:
            self.counts["chunks resent"] += 1
            await asyncio.sleep(self._source.uniform(*self.resend_s))
        if self.stalled:
            self.counts["stalled"] += 1
            await self._passable.wait()
        with suppress(OSError):
            sink.write(data)
            await sink.drain()


async def _read(source: asyncio.StreamReader) -> bytes:
    with suppress(OSError):
        return await source.read(_CHUNK_BYTES)
    return b""
