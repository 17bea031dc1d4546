"""The way through the service: each act is one request, decided where the leadership is held."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bps.client import BpsClient, Target
from bps.client.served_plan import ServedPlan

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.cli.backend import Write
    from bps.workspace.source import PlanSource
    from bps.writepath.command import Outcome

V = TypeVar("V", bound="BaseModel")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remote:
    """An open client; who acts is what its token says."""

    client: BpsClient

    def read(self, _directly: Callable[[Any], T], through: Callable[[BpsClient], T]) -> T:
        """What the service says."""
        return through(self.client)

    async def execute(self, write: Write[V], operation: str) -> Outcome[V]:
        """Send the act once. Raises OutcomeUnknown and whatever the service raised."""
        return await write.request(self.client, operation)

    async def preview(self, write: Write[V], operation: str) -> Outcome[V]:
        """The request says itself that it is a dry run."""
        return await write.request(self.client, operation)

    async def open_plan(self, plan: str) -> PlanSource:
        """The plan as the service tells it. Raises NotFound."""
        return await ServedPlan.open(self.client, plan)


@asynccontextmanager
async def open_remote(target: Target) -> AsyncIterator[Remote]:
    """A client of the service. Raises ConfigError."""
    async with BpsClient(target) as client:
        yield Remote(client)
