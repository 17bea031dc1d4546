"""The workshops of `bps.writepath.prepare`: of a service, and of a single command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from bps.validation.installation import Distributions
from bps.validation.pool import ValidatorPool
from bps.validation.report import Allowed, CandidateText, ValidationReport
from bps.workshop.processes import Processes

A = TypeVar("A")
T = TypeVar("T")

_VALIDATORS_S = 3.0
"""For all validators of one candidate together; a write has 5 s, and must be able to name them."""


class LocalWorkshop:
    """For one command: merges in a thread, so that a lease is kept alive; validators apart.

    Use as an asynchronous context manager, or `close` it.
    """

    def __init__(self, pool: ValidatorPool | None = None) -> None:
        self._pool = pool or ValidatorPool()

    async def __aenter__(self) -> Self:
        """Nothing starts before it is needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See `close`."""
        await self.close()

    async def compute(self, function: Callable[[A], T], argument: A) -> T:
        """In a thread of this process. Cost: what the function costs."""
        return await asyncio.to_thread(function, argument)

    @property
    def installed(self) -> Distributions:
        """See `ValidatorPool.installed`."""
        return self._pool.installed

    def expect_validation(self) -> None:
        """Start the first process for validators, so that it is there when a merge is done."""
        self._pool.start_ahead()

    async def validate(
        self, candidate: CandidateText, allowed: Sequence[Allowed]
    ) -> ValidationReport:
        """See `ValidatorPool.run`, which raises."""
        return await self._pool.run(candidate, allowed, _VALIDATORS_S)

    async def close(self) -> None:
        """End the processes."""
        await self._pool.close()


_MOST_READERS = 16
"""Who waits for the one process that shows merges; at 4 s at most each."""


class ProcessWorkshop(LocalWorkshop):
    """For a service: merges in processes that stay warm, and are killed when they take too long."""

    def __init__(self, processes: Processes | None = None) -> None:
        super().__init__()
        self._processes = processes or Processes()

    @classmethod
    def for_readers(cls) -> Self:
        """One whose processes are for what is shown alone: reading holds no write up."""
        return cls(Processes(size=1, most_waiting=_MOST_READERS))

    async def compute(self, function: Callable[[A], T], argument: A) -> T:
        """As `Processes.run`, which raises. Cost: pickling; 0.3 s at first."""
        return await self._processes.run(function, argument)

    async def close(self) -> None:
        """End the processes."""
        await self._processes.close()
        await super().close()
