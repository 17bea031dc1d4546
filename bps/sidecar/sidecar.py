"""The sidecar: one store, one watch, terms of leadership, and what the edges ask of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from bps.core.codec import Record
from bps.core.errors import FencedOut, OperationInFlight
from bps.core.ports import Clock, Store
from bps.policy.initialise import Initialise
from bps.sidecar.canonical import CanonicalVersions
from bps.sidecar.feed import Feed
from bps.sidecar.terms import Terms
from bps.writepath.command import Command, Outcome
from bps.writepath.transact import WritePath

R = TypeVar("R", bound=Record)

SERVICE_PRINCIPAL = "bps"
"""Who acts where the service itself does; no token can have this name."""


@dataclass(frozen=True, slots=True)
class SidecarSettings:
    """Who this sidecar is. `name` signs the leader key; times are in seconds."""

    name: str
    lease_ttl_s: int = 5
    campaign_s: float = 10.0


class Sidecar:
    """Use as an asynchronous context manager; leaving it resigns the leadership."""

    def __init__(self, store: Store, clock: Clock, settings: SidecarSettings) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.feed = Feed(store, clock)
        self.canonical = CanonicalVersions(store, self.feed)
        self.terms = Terms(
            store,
            clock,
            settings.name,
            ttl_s=settings.lease_ttl_s,
            campaign_s=settings.campaign_s,
            recover=self._recover,
        )
        self._in_flight: set[bytes] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def execute(self, command: Command[R]) -> Outcome[R]:
        """Run one command on the write path of the present term.

        Raises:
            OperationInFlight: the same operation is being carried out now.
            NotLeader, StoreRolledBack, Unavailable: this sidecar takes no writes now.
            Whatever `WritePath.execute` raises.
        """
        operation = command.operation.key
        if operation in self._in_flight:
            msg = f"Operation {command.operation.op_id} is being carried out now."
            raise OperationInFlight(msg, op=command.operation.name)
        path = self.terms.write_path()
        self._in_flight.add(operation)
        try:
            outcome = await path.execute(command)
        except FencedOut:
            self.terms.lost()
            raise
        finally:
            self._in_flight.discard(operation)
        if command.plan is not None and outcome.revision:
            self.canonical.published(command.plan, outcome.revision)
        return outcome

    @property
    def writes_in_flight(self) -> int:
        """How many commands are under way."""
        return len(self._in_flight)

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self.feed.run(), name="feed"),
            asyncio.create_task(self.terms.run(), name="terms"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _recover(self, path: WritePath) -> None:
        """Prove that writing is safe; one linearizable read at least (design, "Modes")."""
        now_ms = self.clock.now_ms()
        await path.execute(Initialise(SERVICE_PRINCIPAL, f"initialise-{now_ms}"))
