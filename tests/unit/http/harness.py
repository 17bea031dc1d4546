"""The application on a memory store, called in this process; a token is the name of a role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from bps.clock import SystemClock
from bps.core.codec import sha256_hex
from bps.core.errors import Forbidden, Unauthenticated
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.identity.roles import Identity, Operation, Role
from bps.identity.token_text import Token
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from bps.writepath.admission import Bounds


def token_of(role: str) -> str:
    """A whole token that stands for a role: clients look at its form before they send it."""
    return Token(sha256_hex(role.encode())[:16], bytes(32)).text()


class RoleGuard:
    """Admits `Authorization: Bearer ROLE` as principal `ROLE-1`, by the real matrix."""

    valid = True

    async def admit(self, request: HTTPConnection, operation: Operation) -> Identity:
        scheme, _, name = request.headers.get("authorization", "").partition(" ")
        name = _ROLES.get(name, name)
        if scheme != "Bearer" or name not in set(Role):
            raise Unauthenticated("No valid token came with the request.")
        identity = Identity(f"{name}-1", frozenset({Role(name)}), f"{name}-token")
        if not identity.may(operation):
            raise Forbidden(f"None of your roles allows {operation.value}.")
        return identity

    async def still_valid(self, identity: Identity) -> bool:
        return self.valid and bool(identity.principal)


_ROLES = {token_of(role): role.value for role in Role}


@dataclass(slots=True)
class Served:
    """A running sidecar with a client."""

    sidecar: Sidecar
    store: MemoryStore
    client: httpx.AsyncClient
    app: FastAPI
    guard: RoleGuard
    _numbers: count[int] = field(default_factory=count)

    async def call(
        self,
        method: str,
        path: str,
        *,
        role: str | None = "supervisor",
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One request; a mutation gets a new Idempotency-Key unless `key` is given."""
        sent = dict(headers or {})
        if role is not None:
            sent.setdefault("Authorization", f"Bearer {role}")
        if method not in {"GET", "HEAD"}:
            sent.setdefault("Idempotency-Key", key or f"op-{next(self._numbers)}")
        return await self.client.request(method, path, headers=sent, **options)


@asynccontextmanager
async def served(limits: Limits | None = None) -> AsyncIterator[Served]:
    """The application with a leading sidecar."""
    clock = SystemClock()
    store = MemoryStore(clock)
    limits = limits or Limits()
    settings = SidecarSettings(
        "test-sidecar",
        write_bounds=Bounds(limits.max_writes_in_flight, limits.max_writes_waiting),
    )
    async with Sidecar(store, clock, settings) as sidecar:
        await sidecar.terms.decided()
        guard = RoleGuard()
        app = create_app(Service(sidecar, guard, limits))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield Served(sidecar, store, client, app, guard)
