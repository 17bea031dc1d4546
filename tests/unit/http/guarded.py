"""The application with its real guard on a memory store, and credentials to come in with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from bps.clock import SystemClock
from bps.http.app import create_app
from bps.http.guard import TokenGuard
from bps.http.limits import Limits
from bps.http.rate import RateLimits
from bps.http.service import Service
from bps.identity.create import CreateToken, NewSecret
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import eventually
from tests.doubles import RecordingStore


@dataclass(slots=True)
class Guarded:
    """A running sidecar with a client. `peer` is the certificate that the client shows."""

    sidecar: Sidecar
    store: RecordingStore
    app: FastAPI
    client: httpx.AsyncClient
    peer: Mapping[str, Any] | None = None
    _numbers: count[int] = field(default_factory=count)

    async def token(
        self, *roles: Role, principal: str = "someone", expires_in_s: int | None = None
    ) -> Token:
        """A new token with these roles."""
        token = Token.generate()
        proof = NewSecret(token.credential, token.digest)
        await self.make(
            CreateToken(
                "tester", self.op(), principal, frozenset(roles), proof, expires_in_s=expires_in_s
            )
        )
        return token

    async def certified(self, name: str, *roles: Role, principal: str = "someone") -> str:
        """The id of a new credential for a name in client certificates."""
        command = CreateToken("tester", self.op(), principal, frozenset(roles), name)
        return await self.make(command)

    async def make(self, command: CreateToken) -> str:
        outcome = await self.sidecar.execute(command)
        self.sidecar.credentials.wrote(outcome.revision, outcome.result)
        return outcome.result.id

    def op(self) -> str:
        return f"op-{next(self._numbers)}"

    async def call(
        self,
        method: str,
        path: str,
        token: Token | str | None = None,
        *,
        key: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One request; an act gets a new Idempotency-Key unless `key` is given."""
        headers = dict(options.pop("headers", {}))
        if token is not None:
            text = token if isinstance(token, str) else f"Bearer {token.text()}"
            headers["Authorization"] = text
        if method not in {"GET", "HEAD"}:
            headers["Idempotency-Key"] = key or self.op()
        return await self.client.request(method, path, headers=headers, **options)


@asynccontextmanager
async def guarded(limits: Limits | None = None, *, warm: bool = True) -> AsyncIterator[Guarded]:
    """The application with a leading sidecar whose credentials are in memory, if `warm`."""
    clock, bounds = SystemClock(), limits or Limits()
    store = RecordingStore(MemoryStore(clock))
    async with Sidecar(store, clock, SidecarSettings("test-sidecar")) as sidecar:
        await sidecar.terms.decided()
        guard = TokenGuard(sidecar.credentials, clock, RateLimits(clock, bounds))
        app = create_app(Service(sidecar, guard, bounds))

        async def connected(scope: Scope, receive: Receive, send: Send) -> None:
            if world.peer is not None:
                scope["extensions"] = {"tls": {"peer_certificate": world.peer}}
            await app(scope, receive, send)

        transport = httpx.ASGITransport(app=connected, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            world = Guarded(sidecar, store, app, client)

            async def loaded() -> bool:
                return sidecar.credentials.warm is warm

            await eventually(loaded, "the credentials are in memory")
            yield world
