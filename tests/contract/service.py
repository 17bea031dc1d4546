"""The whole service on a socket: memory store, real guard, a token with every role."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bps.clock import SystemClock
from bps.http.app import create_app
from bps.http.guard import TokenGuard
from bps.http.limits import Limits
from bps.http.rate import RateLimits
from bps.http.server import HttpServer, Listen
from bps.http.service import Service
from bps.identity.create import CreateToken, NewSecret
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.keyring.private_key import PrivateKey
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import eventually

R = TypeVar("R")

UNLIMITED = Limits(requests_per_s=1e9, burst=1_000_000_000, unauthenticated_per_s=1e9)
"""No 429 may stand for another answer."""
_DEADLINE_S = 60


@dataclass(frozen=True, slots=True)
class Running:
    """A service that leads. `token` is of principal `everyone`, who has every role."""

    url: str
    token: str
    sidecar: Sidecar
    store: MemoryStore

    @property
    def revision(self) -> int:
        """The store's: it moves with each write, the leader's own included."""
        return self.store._history.revision

    def client(self) -> httpx.AsyncClient:
        """Comes in with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20)

    async def credential(
        self, *roles: Role, principal: str, expires_in_s: int | None = None
    ) -> Token:
        """A token, known to the guard."""
        token = Token.generate()
        proof = NewSecret(token.credential, token.digest)
        made = await self.sidecar.execute(
            CreateToken(
                "tester",
                f"token-{token.credential}",
                principal,
                frozenset(roles),
                proof,
                expires_in_s=expires_in_s,
            )
        )
        self.sidecar.credentials.wrote(made.revision, made.result)
        return token


@asynccontextmanager
async def running(limits: Limits = UNLIMITED) -> AsyncIterator[Running]:
    """The service in this event loop."""
    clock = SystemClock()
    store = MemoryStore(clock)
    settings = SidecarSettings("test-sidecar", signer=PrivateKey(Ed25519PrivateKey.generate()))
    async with Sidecar(store, clock, settings) as sidecar:
        await sidecar.terms.decided()

        async def warm() -> bool:
            return sidecar.credentials.warm

        await eventually(warm, "the credentials are in memory")
        guard = TokenGuard(sidecar.credentials, clock, RateLimits(clock, limits))
        app = create_app(Service(sidecar, guard, limits))
        async with HttpServer(app, Listen(port=0), limits) as server:
            found = Running(server.url, "", sidecar, store)
            token = await found.credential(*Role, principal="everyone")
            # The last operator cannot be ended: with this one nothing hangs on the other.
            await found.credential(Role.OPERATOR, principal="keeper")
            yield Running(server.url, token.text(), sidecar, store)


@dataclass(frozen=True, slots=True)
class InThread:
    """A service in a thread of its own, for those who are not asynchronous."""

    service: Running
    _loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """The result of `work` in the service's loop."""
        future: Future[R] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(_DEADLINE_S)


@contextmanager
def in_thread() -> Iterator[InThread]:
    """The service in a thread, in the loop that it has in production."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="service", daemon=True)
    thread.start()
    stack = AsyncExitStack()

    async def begin() -> Running:
        return await stack.enter_async_context(running())

    try:
        service = asyncio.run_coroutine_threadsafe(begin(), loop).result(_DEADLINE_S)
        yield InThread(service, loop)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(_DEADLINE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_DEADLINE_S)
        loop.close()
