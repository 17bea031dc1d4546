"""The direct way: this process opens the store, and writes as the leader that it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from bps.bootstrap import Settings, decide_only, lead
from bps.cli.backend import Steps
from bps.core.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.cli.backend import Write
    from bps.core.ports import Store
    from bps.workspace.source import PlanSource
    from bps.writepath.command import Outcome

V = TypeVar("V", bound="BaseModel")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Direct:
    """An open store, and who acts on it."""

    store: Store
    settings: Settings
    principal: str

    def read(self, directly: Callable[[Store], T], _through: Callable[[Any], T]) -> T:
        """What the store says."""
        return directly(self.store)

    async def execute(self, write: Write[V], operation: str) -> Outcome[V]:
        """Campaign, execute, resign. Raises NotLeader and whatever the command raises."""
        async with lead(self.store, self.settings) as path:
            if isinstance(write.command, Steps):
                run = write.command.run(self.store, path.execute, self.principal, operation)
                outcome = await run
            else:
                outcome = await path.execute(write.command(self.principal, operation))
        return replace(outcome, result=write.view(outcome.result))

    async def preview(self, write: Write[V], operation: str) -> Outcome[V]:
        """Decide on the present state; needs no leadership. Raises ConfigError."""
        if isinstance(write.command, Steps):
            raise ConfigError("An act of several steps cannot be tried without writing.")
        outcome = await decide_only(self.store, write.command(self.principal, operation))
        return replace(outcome, result=write.view(outcome.result))

    async def open_plan(self, plan: str) -> PlanSource:
        """The plan at one revision of the store. Raises NotFound."""
        from bps.workspace.pinned import PinnedPlan  # noqa: PLC0415 - only where used

        return await PinnedPlan.open(self.store, plan)
