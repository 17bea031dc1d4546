"""Subscribers of a service that is killed and started again get each event exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import orjson

from bps.bootstrap import embedded_etcd
from bps.clock import SystemClock
from bps.core.ports import Store
from bps.leadership.election import Leadership
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch
from bps.plans.register import RegisterPlan
from bps.replay.events import read_events
from bps.setup.initialise import Initialise
from bps.store.etcd import EtcdStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.integration.http.served import TOKEN
from tests.integration.http.service_process import service

PLANS = ("EP-1", "EP-2", "EP-3")
LATE_PLAN = "EP-4"
LEAST = 20
KILLS = 2
WHO = "elsewhere"


@dataclass(slots=True)
class Subscription:
    """Follows one path over restarts; `after` is where it is."""

    path: str
    after: str
    url: Callable[[], str]
    got: list[Any] = field(default_factory=list)
    connected: int = 0

    async def by_stream(self, client: httpx.AsyncClient) -> None:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": self.after}
        url = f"{self.url()}{self.path}"
        async with client.stream("GET", url, headers=headers, timeout=30) as answer:
            assert answer.status_code == 200, await answer.aread()
            self.connected += 1
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                self.after = fields.get("id", self.after)
                if "data" in fields and fields["event"] == "bps.mode":
                    assert "id" not in fields
                elif "data" in fields:
                    assert fields["event"].startswith("io.haios.bps."), fields
                    self.got.append(orjson.loads(fields["data"]))
                fields = {}

    async def by_pages(self, client: httpx.AsyncClient) -> None:
        self.connected += 1
        while True:
            query = {"after": self.after, "wait_s": "2", "limit": "7"}
            answer = await client.get(f"{self.url()}{self.path}", params=query, timeout=30)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.got += page["events"]
            self.after = page["next_after"]

    async def forever(self, follow: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
            while True:
                try:
                    await follow(client)
                except httpx.TransportError:
                    await asyncio.sleep(0.05)


async def log(store: Store, plan: str) -> list[Any]:
    return [event.model_dump(mode="json") async for event in read_events(store, plan, 1)]


def by_plan(events: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for event in events:
        found.setdefault(event["source"].removeprefix("/plans/"), []).append(event)
    return found


async def write(path: WritePath, plan: str, enough: asyncio.Event) -> None:
    for n in count():
        if n >= LEAST and enough.is_set():
            return
        await path.execute(OpenBranch(WHO, f"{plan}-{n}", plan, f"trace-{n}", f"cause {n % 40}"))
        await asyncio.sleep(0.02)


@asynchronous
async def test_each_event_comes_once_through_kills_of_the_service() -> None:
    async with AsyncExitStack() as stack:
        etcd = await stack.enter_async_context(embedded_etcd(temporary=True))
        store = await stack.enter_async_context(EtcdStore([etcd.endpoint]))
        clock = SystemClock()
        leader = await stack.enter_async_context(Leadership(store, clock, WHO, ttl_s=5))
        await leader.campaign(5)
        path = WritePath(store, leader, clock)
        await path.execute(Initialise(WHO, "init"))
        start = (await store.status())[0].revision
        where = {"url": ""}
        enough = asyncio.Event()
        alls = [
            Subscription("/v1/events", f"{start + 1}-0", lambda: where["url"]) for _ in range(2)
        ]
        ones = [Subscription("/v1/plans/EP-1/events", "0", lambda: where["url"]) for _ in range(2)]
        for plan in PLANS:
            register = RegisterPlan(WHO, f"r-{plan}", plan, "default", "t", pack(b"v1"))
            await path.execute(register)
        tasks: list[asyncio.Task[None]] = []
        writing: list[asyncio.Task[None]] = []
        for n in range(KILLS + 1):
            async with service(etcd.endpoint) as (where["url"], process):
                before = [one.connected for one in (*alls, *ones)]
                if n == 0:
                    for stream, pages in (alls, ones):
                        tasks.append(asyncio.create_task(stream.forever(stream.by_stream)))
                        tasks.append(asyncio.create_task(pages.forever(pages.by_pages)))
                    writing = [asyncio.create_task(write(path, plan, enough)) for plan in PLANS]

                async def back(before: list[int] = before) -> bool:
                    now = [one.connected for one in (*alls, *ones)]
                    return all(a > b for a, b in zip(now, before, strict=True))

                await eventually(back, "everybody is connected again")
                if n < KILLS:
                    await asyncio.sleep(0.5)
                    process.kill()
                    continue
                enough.set()
                await asyncio.gather(*writing)
                late = RegisterPlan(WHO, "late", LATE_PLAN, "default", "t", pack(b"v1"))
                await path.execute(late)
                logs = {plan: await log(store, plan) for plan in (*PLANS, LATE_PLAN)}
                total = sum(map(len, logs.values()))

                async def arrived(logs: dict[str, list[Any]] = logs, total: int = total) -> bool:
                    assert not any(task.done() for task in tasks), "a subscriber failed"
                    return all(len(one.got) >= total for one in alls) and all(
                        len(one.got) >= len(logs["EP-1"]) for one in ones
                    )

                try:
                    await eventually(arrived, "everything has come")
                finally:
                    for task in tasks:
                        task.cancel()
                    ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
        assert min(len(events) for plan, events in logs.items() if plan in PLANS) > LEAST
        for one in alls:
            assert by_plan(one.got) == logs
        for one in ones:
            assert one.got == logs["EP-1"]
