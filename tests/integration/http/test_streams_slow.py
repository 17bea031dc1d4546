"""Subscribers that do not read: cut off, cheap, and no hindrance to a drain."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bps.clock import SystemClock
from bps.core.keys import PlanKeys
from bps.core.txn import Put, Txn
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen
from bps.http.service import Service
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.integration.http.served import TOKEN, EveryRole

EVENTS = 30_000
"""Each is about 400 bytes on the wire: together more than the system's buffers take."""


@dataclass(slots=True)
class Running:
    service: Service
    server: HttpServer
    port: int

    def subscribe(self) -> socket.socket:
        """A subscriber to all there ever was."""
        mine = socket.socket()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        mine.connect(("127.0.0.1", self.port))
        mine.sendall(
            b"GET /v1/events?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Accept: text/event-stream\r\nAuthorization: Bearer %b\r\n\r\n" % TOKEN.encode()
        )
        return mine

    async def streams(self, count: int) -> None:
        async def there() -> bool:
            return self.service.streams.count == count

        await eventually(there, f"{count} streams are open", deadline_s=15)


@asynccontextmanager
async def running(limits: Limits) -> AsyncIterator[Running]:
    clock = SystemClock()
    store = MemoryStore(clock)
    async with Sidecar(store, clock, SidecarSettings("test-sidecar")) as sidecar:
        await sidecar.terms.decided()
        at = PlanKeys("EP-1")
        for first in range(1, EVENTS, 100):
            puts = tuple(Put(at.event(seq), b"{}") for seq in range(first, first + 100))
            await store.commit(Txn((), puts))
        service = Service(sidecar, EveryRole(), limits)
        async with HttpServer(create_app(service), Listen(port=0), limits) as server:
            yield Running(service, server, int(server.url.rpartition(":")[2]))


@asynchronous
async def test_a_subscriber_that_never_reads_is_cut_off() -> None:
    async with running(Limits(write_stall_s=0.5)) as it:
        with it.subscribe():
            await it.streams(1)
            await it.streams(0)
        assert it.server.connections == 0


@asynchronous
async def test_a_drain_ends_streams_with_a_last_word_and_waits_for_nobody_who_does_not_read() -> (
    None
):
    async with running(Limits()) as it:
        with it.subscribe():
            await it.streams(1)
            reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
            writer.write(
                b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
                b"Authorization: Bearer %b\r\n\r\n" % TOKEN.encode()
            )
            await reader.readuntil(b"retry: ")
            begun_s = time.monotonic()
            it.service.sidecar.draining.set()
            await it.server.drain(3.0)
            assert (await reader.read()).endswith(b": draining\n\n\r\n0\r\n\r\n")
            writer.close()
            await it.streams(0)
            assert time.monotonic() - begun_s < 4.5
