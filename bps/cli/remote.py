"""The way through the service: each act is one request, decided where the leadership is held."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bps.client import BpsClient, Target
from bps.client.transport import TIMEOUT_S

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
        """Send the act. Raises OutcomeUnknown and whatever the service raised."""
        return await write.request(self.client, operation)

    async def preview(self, write: Write[V], operation: str) -> Outcome[V]:
        """The request says itself that it is a dry run."""
        return await write.request(self.client, operation)

    async def open_plan(self, plan: str) -> PlanSource:
        """The plan as the service tells it. Raises NotFound."""
        from bps.client.served_plan import ServedPlan  # noqa: PLC0415 - only where used

        return await ServedPlan.open(self.client, plan)


@asynccontextmanager
async def open_remote(target: Target, timeout_s: float | None = None) -> AsyncIterator[Remote]:
    """A client of the service; `timeout_s` as in `BpsClient`. Raises ConfigError."""
    async with BpsClient(target, timeout_s=timeout_s or TIMEOUT_S) as client:
        yield Remote(client)
        if (stale := client.staleness) is not None:
            from bps.cli.output import note  # noqa: PLC0415 - only where used

            note(
                f"read-only ({stale.reason}): data as of revision {stale.revision}, "
                f"at most {math.ceil(stale.age_ms / 1000)} s old"
            )
