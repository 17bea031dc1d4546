"""A caller of reviews over HTTP, and the plan that they are about, on an etcd of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from bps.clock import SystemClock
from bps.core.keys import PlanKeys
from bps.core.ports import Key
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen
from bps.http.service import Service
from bps.plans.reviews import Review
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.embedded_etcd import EmbeddedEtcd
from bps.store.etcd.store import EtcdStore
from tests.edited import edited
from tests.integration.http.served import TOKEN, EveryRole

PLAN, RV = "/v1/plans/EP-1", "/v1/plans/EP-1/reviews/EP-1-RV1"
YAML = {"Content-Type": "application/yaml"}
BASE = b"title: checkout\nretries: 3\ntimeout_ms: 900\ncarts: open\n"


@dataclass(slots=True)
class Caller:
    """One principal with every role, on a service with a socket; and the sidecar behind it."""

    client: httpx.AsyncClient
    sidecar: Sidecar
    numbers: count[int] = field(default_factory=count)

    async def ask(
        self, method: str, path: str, status: int, *, seen: str | None = None, **options: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", **options.pop("headers", {})}
        if method != "GET":
            headers["Idempotency-Key"] = f"op-{next(self.numbers)}"
        if seen is not None:
            headers["If-Match"] = seen
        answer = await self.client.request(method, path, headers=headers, **options)
        assert answer.status_code == status, answer.text
        return answer

    async def fixed(self, number: int, content: bytes) -> str:
        report = {"trace_id": f"trace-{number}", "fingerprint": f"cause {number}"}
        opened = (await self.ask("POST", f"{PLAN}/branches", 201, json=report)).json()
        rr_plan: str = opened["rr_plan"]
        path = f"{PLAN}/branches/{rr_plan}/submission"
        await self.ask("POST", path, 200, content=content, headers=YAML)
        return rr_plan

    async def fighting(self) -> tuple[str, str]:
        """A plan with a review of two conflicts."""
        await self.ask("PUT", PLAN, 201, content=BASE, headers=YAML)
        one = await self.fixed(1, edited(BASE, (b": 3", b": 7"), (b": 900", b": 1000")))
        two = await self.fixed(2, edited(BASE, (b": 3", b": 9"), (b": 900", b": 2000")))
        waits = (await self.ask("POST", f"{PLAN}/promotions", 409)).json()
        assert (waits["code"], waits["facts"]["review"]) == ("MERGE_CONFLICT", "EP-1-RV1")
        return one, two

    async def etag(self) -> str:
        return (await self.ask("GET", RV, 200)).headers["ETag"]

    async def decide(self, path: str, status: int = 200, **said: str) -> httpx.Response:
        body = {"resolutions": [{"path": path, **said}]}
        return await self.ask("POST", f"{RV}/resolutions", status, json=body)

    async def canonical(self) -> bytes:
        return (await self.ask("GET", f"{PLAN}/canonical/blueprint", 200)).content

    async def sound(self) -> dict[str, Any]:
        """What verification says; replay agrees with the stored records."""
        await self.ask("GET", f"{PLAN}/replay", 200)
        proof: dict[str, Any] = (await self.ask("GET", f"{PLAN}/verification", 200)).json()
        return proof


@asynccontextmanager
async def calling() -> AsyncIterator[Caller]:
    clock = SystemClock()
    async with (
        EmbeddedEtcd(temporary=True) as etcd,
        EtcdStore((etcd.endpoint,)) as store,
        Sidecar(store, clock, SidecarSettings("test-sidecar")) as sidecar,
    ):
        await sidecar.terms.decided()
        app = create_app(Service(sidecar, EveryRole(), Limits()))
        async with (
            HttpServer(app, Listen(port=0), Limits()) as server,
            httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=15) as client,
        ):
            yield Caller(client, sidecar)


async def stored(caller: Caller) -> Review:
    found = await caller.sidecar.store.snapshot([Key(PlanKeys("EP-1").newest_review)])
    return Review.decode(found.answers[0][0].value)
