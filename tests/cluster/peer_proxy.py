"""A TCP proxy in front of every member's peer port, which can cut a member off both ways.

All members have to know a member by one peer URL, so that a connection's target is the port it
came to, and its source is found by asking the kernel whose socket the other end is (Linux).
A blocked link swallows bytes as a network partition does: nothing is refused or closed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tests.cluster.free_ports import HOST

_CHUNK = 65536
_CALL_TIMEOUT_S = 10.0
_T = TypeVar("_T")


class PeerProxy:
    """Listens on one loopback port per member, from a thread of its own."""

    def __init__(self, target_ports: Sequence[int], process_ids: Callable[[], list[int]]) -> None:
        """Starts listening.

        Args:
            target_ports: each member's real peer port.
            process_ids: returns each member's process id at that time.
        """
        self._targets = list(target_ports)
        self._process_ids = process_ids
        self._isolated: set[int] = set()
        self._changed = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="peer-proxy")
        self._thread.daemon = True
        self._thread.start()
        self._servers = self._run(self._listen())
        #: The ports by which the members know each other.
        self.ports: list[int] = [s.sockets[0].getsockname()[1] for s in self._servers]

    def isolate(self, index: int) -> None:
        """Blocks every link from and to member `index`."""
        self._run(self._set_isolated(self._isolated | {index}))

    def heal(self, index: int) -> None:
        """Lets its traffic pass again, beginning with what was held back."""
        self._run(self._set_isolated(self._isolated - {index}))

    def is_isolated(self, index: int) -> bool:
        """Whether member `index` is cut off."""
        return index in self._isolated

    def close(self) -> None:
        """Closes all connections and ends the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_TIMEOUT_S)

    async def _listen(self) -> list[asyncio.Server]:
        return [
            await asyncio.start_server(partial(self._accept, index), HOST, 0)
            for index in range(len(self._targets))
        ]

    async def _set_isolated(self, isolated: set[int]) -> None:
        self._isolated = isolated
        self._changed.set()
        self._changed = asyncio.Event()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        # A connection that was just accepted becomes a task of its own a turn later.
        await asyncio.sleep(0)
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.sleep(0)
        # A task that was cancelled before it began, or again while it closed, left its writer.
        for writer in list(self._writers):
            await _close_writer(writer)
        for server in self._servers:
            await server.wait_closed()

    def _accept(
        self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.add(writer)
        task = asyncio.create_task(self._serve(target, reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(
        self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # Closing either end, or a member's death, ends the connection: nothing to report.
        with suppress(OSError, asyncio.CancelledError):
            await self._carry(target, reader, writer)
        await _close_writer(writer)
        self._writers.discard(writer)

    async def _carry(
        self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        port: int = writer.get_extra_info("peername")[1]
        source = owner_of_port(port, self._process_ids())
        if source is None:
            return
        link = frozenset({source, target})
        await self._until_open(link)
        onward_reader, onward_writer = await asyncio.open_connection(HOST, self._targets[target])
        self._writers.add(onward_writer)
        pumps = [
            asyncio.create_task(self._pump(link, reader, onward_writer)),
            asyncio.create_task(self._pump(link, onward_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await _close_writer(onward_writer)
            self._writers.discard(onward_writer)

    async def _pump(
        self, link: frozenset[int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            await self._until_open(link)
            writer.write(chunk)
            await writer.drain()
        # The end of a stream is news too, and does not pass a partition.
        await self._until_open(link)

    async def _until_open(self, link: frozenset[int]) -> None:
        while self._isolated & link:
            await self._changed.wait()


async def _close_writer(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def owner_of_port(port: int, process_ids: Sequence[int]) -> int | None:
    """Index of the process that owns the loopback connection from local `port` (Linux).

    Raises:
        OSError: the system has no /proc/net/tcp.
    """
    local = f"0100007F:{port:04X}"
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {row[9] for row in rows if row[1] == local}
    for index, pid in enumerate(process_ids):
        # A process or descriptor can be gone by now.
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink())[8:-1] in inodes:
                        return index
    return None
