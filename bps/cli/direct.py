"""The direct way: this process opens the store, and writes as the leader that it becomes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
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
    timeout_s: float | None = None
    """How long an act may take from the campaign on; None: as long as its steps may."""

    def read(self, directly: Callable[[Store], T], _through: Callable[[Any], T]) -> T:
        """What the store says."""
        return directly(self.store)

    async def execute(self, write: Write[V], operation: str) -> Outcome[V]:
        """Campaign, execute, resign.

        Raises NotLeader, Overloaded where the timeout passes, and whatever the command raises.
        """
        settings, deadline_s = self.settings, None
        if self.timeout_s is not None:
            deadline_s = time.monotonic() + self.timeout_s
            settings = replace(settings, campaign_s=min(settings.campaign_s, self.timeout_s))
        async with lead(self.store, settings) as path:
            execute = partial(path.execute, deadline_s=deadline_s)
            if isinstance(write.command, Steps):
                run = write.command.run(self.store, execute, self.principal, operation)
                outcome = await run
            else:
                outcome = await execute(write.command(self.principal, operation))
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
