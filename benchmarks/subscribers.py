"""500 subscribers of one service process: how soon each has each event, and what each costs.

The writer is this process, so that the service does nothing but follow and send. The time of an
event counts from before its commit was asked for until a subscriber has read it whole.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure
from benchmarks.options import Budget, Options
from benchmarks.writer import PRINCIPAL, writer
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch
from bps.plans.register import RegisterPlan
from tests.asynchronous import eventually
from tests.integration.http.served import TOKEN
from tests.integration.http.service_process import service

SUBSCRIBERS = 500
PLAN = "EP-1"
_WARM_UP = 10
_EVENTS_PER_S = 10
_ARRIVAL_S = 15.0
_MARK = b"\ndata: "
_REQUEST = (
    "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
    f"Authorization: Bearer {TOKEN}\r\n\r\n"
).encode()


@dataclass(slots=True)
class Subscriber:
    """One connection; `read_s` holds when each event was there, in their order."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    read_s: list[float] = field(default_factory=list)

    @classmethod
    async def open(cls, port: int) -> Subscriber:
        """Connect, subscribe, and read the beginning of the stream."""
        reader, stream = await asyncio.open_connection("127.0.0.1", port)
        stream.write(_REQUEST)
        await reader.readuntil(b"retry: ")
        return cls(reader, stream)

    async def follow(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.reader.readuntil(_MARK)
            await self.reader.readuntil(b"\n\n")
            self.read_s.append(perf_counter())


def _resident_kib(process: Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


async def measure(options: Options) -> list[Figure]:
    """Subscribe, write at 10 events a second, compare what was read with what was written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4_096)), hard))
    async with AsyncExitStack() as stack:
        endpoints = stack.enter_context(cluster())
        store = await stack.enter_async_context(client(endpoints))
        leads = await stack.enter_async_context(writer(store))
        url, process = await stack.enter_async_context(service(*endpoints))
        port = int(url.rpartition(":")[2])
        await leads.path.execute(
            RegisterPlan(PRINCIPAL, "register", PLAN, "default", "Checkout", pack(b"v1"))
        )
        tasks: list[asyncio.Task[None]] = []
        stack.callback(lambda: [task.cancel() for task in tasks])
        warm = [await Subscriber.open(port) for _ in range(_WARM_UP)]
        before_kib = _resident_kib(process)
        everybody = warm + [await Subscriber.open(port) for _ in range(SUBSCRIBERS - _WARM_UP)]
        tasks += [asyncio.create_task(each.follow()) for each in everybody]
        asked_s: list[float] = []
        budget = Budget(options.seconds / 2, least=20)
        while budget.another():
            await asyncio.sleep(1 / _EVENTS_PER_S)
            asked_s.append(perf_counter())
            n = len(asked_s)
            cause = f"cause {n % 50}"
            await leads.path.execute(OpenBranch(PRINCIPAL, f"o-{n}", PLAN, f"trace-{n}", cause))
        await _until_read(everybody, len(asked_s))
        after_kib = _resident_kib(process)
        lags_s = sorted(
            read - asked
            for each in everybody
            for asked, read in zip(asked_s, each.read_s, strict=True)
        )
        return [
            Figure("subscribers", SUBSCRIBERS),
            Figure("events a second, each to all", _EVENTS_PER_S),
            Figure("event to subscriber, median", statistics.median(lags_s) * 1e3, "ms"),
            Figure("event to subscriber, 99 %", lags_s[len(lags_s) * 99 // 100] * 1e3, "ms"),
            Figure("event to subscriber, slowest", lags_s[-1] * 1e3, "ms", at_most=1_000),
            Figure(
                "memory a subscriber",
                (after_kib - before_kib) / (SUBSCRIBERS - _WARM_UP),
                "KiB",
                at_most=100,
            ),
        ]


async def _until_read(subscribers: list[Subscriber], events: int) -> None:
    """Raises AssertionError if one of them lacks an event, or has one too many."""

    async def read() -> bool:
        return all(len(each.read_s) >= events for each in subscribers)

    await eventually(read, "everybody has everything", deadline_s=_ARRIVAL_S)
    assert all(len(each.read_s) == events for each in subscribers)
