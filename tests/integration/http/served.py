"""The application on a real socket, with a memory store; the token `everyone` may do all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import HTTPConnection

from bps.clock import SystemClock
from bps.core.errors import Unauthenticated
from bps.core.ports import Store
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen
from bps.http.service import Service
from bps.identity.roles import Identity, Operation, Role
from bps.keyring.private_key import PrivateKey
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore

TOKEN = "everyone"


class EveryRole:
    """Admits one token as a principal with every role."""

    async def admit(self, request: HTTPConnection, operation: Operation) -> Identity:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Unauthenticated(f"No valid token asks for {operation.value}.")
        return Identity("tester", frozenset(Role), "test-token")

    async def still_valid(self, identity: Identity) -> bool:
        return identity.principal == "tester"


@asynccontextmanager
async def serving(store: Store | None = None) -> AsyncIterator[str]:
    """The URL of a service that leads."""
    clock = SystemClock()
    settings = SidecarSettings("test-sidecar", signer=PrivateKey(Ed25519PrivateKey.generate()))
    async with Sidecar(store or MemoryStore(clock), clock, settings) as sidecar:
        await sidecar.terms.decided()
        app = create_app(Service(sidecar, EveryRole(), Limits()))
        async with HttpServer(app, Listen(port=0), Limits()) as server:
            yield server.url
