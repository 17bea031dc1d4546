"""A client of the application in this process, and of a service that answers as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from bps.client import BpsClient, Target
from tests.unit.http.harness import Served, served, token_of

URL = "http://127.0.0.1"
Handler = Callable[[httpx.Request], httpx.Response]


def client_of(handler: Handler, *, timeout_s: float = 10.0) -> BpsClient:
    """A client whose requests come to `handler`; the bodies of its answers are streamed."""

    def streamed(request: httpx.Request) -> httpx.Response:
        answer = handler(request)
        body = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)

    return BpsClient(
        Target.of(URL, token=token_of("supervisor")),
        transport=httpx.MockTransport(streamed),
        timeout_s=timeout_s,
    )


@asynccontextmanager
async def served_client(role: str = "supervisor") -> AsyncIterator[tuple[BpsClient, Served]]:
    """A client of the real application on a memory store."""
    async with served() as service:
        transport = service.client._transport
        async with BpsClient(Target.of(URL, token=token_of(role)), transport=transport) as client:
            yield client, service
