"""A leader with its write path, and plans brought to where a benchmark starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import time_ns
from typing import Protocol, TypeVar

from bps.clock import SystemClock
from bps.core.codec import Record
from bps.core.ids import BranchRef
from bps.core.ports import Store
from bps.initiatives.create import CreateInitiative
from bps.leadership.election import Leadership
from bps.plans.blob import Blob
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.register import RegisterPlan
from bps.policy.model import DEFAULT_POLICY
from bps.policy.replace import ReplacePolicy
from bps.promotion.promote import Promote
from bps.setup.initialise import Initialise
from bps.workshop.workshop import ProcessWorkshop
from bps.writepath.command import Command, Outcome
from bps.writepath.precondition import ANY
from bps.writepath.transact import WritePath

PRINCIPAL = "bench"
SETUP_IN_FLIGHT = 32
_INITIATIVES = ("bench", "checkout-2026")
T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Executor(Protocol):
    """Whatever runs commands: a write path, or a sidecar around one."""

    async def execute(self, command: Command[R]) -> Outcome[R]:
        """Run one command to its end."""
        ...


@dataclass(frozen=True, slots=True)
class Writer:
    """The leader in this process."""

    leadership: Leadership
    path: WritePath

    def cold(self, store: Store) -> WritePath:
        """A write path of the same leader on `store` that knows no plan yet."""
        return WritePath(store, self.leadership, SystemClock())

    async def allow(self, *, validators: bool) -> None:
        """Put the default policy in force, with its validators or with none."""
        rules = DEFAULT_POLICY.rules if validators else {**DEFAULT_POLICY.rules, "validators": []}
        op_id = f"policy-{time_ns()}"
        await self.path.execute(ReplacePolicy(PRINCIPAL, op_id, rules, None, (ANY,)))


@asynccontextmanager
async def writer(store: Store) -> AsyncIterator[Writer]:
    """Campaign, initialise the store and its initiatives, resign at the end.

    The policy in force allows no validators, until `Writer.allow` does.
    """
    clock = SystemClock()
    async with Leadership(store, clock, "bench") as leadership, ProcessWorkshop() as workshop:
        await leadership.campaign(10)
        path = WritePath(store, leadership, clock, workshop=workshop)
        await path.execute(Initialise(PRINCIPAL, "init"))
        for initiative in _INITIATIVES:
            await path.execute(CreateInitiative(PRINCIPAL, f"i-{initiative}", initiative))
        leader = Writer(leadership, path)
        await leader.allow(validators=False)
        yield leader


async def succeeded_plan(path: Executor, plan: str, canonical: Blob, fix: Blob) -> Promote:
    """Register `plan`, open a branch and submit `fix`; the promotion that is due then."""
    await path.execute(
        RegisterPlan(PRINCIPAL, f"r-{plan}", plan, "bench", "Checkout service", canonical)
    )
    opened = await path.execute(
        OpenBranch(PRINCIPAL, f"o-{plan}", plan, f"trace-{plan}", "sha256:payment-timeout")
    )
    ref = BranchRef(opened.result.branch, 1)
    await path.execute(SubmitBranch(PRINCIPAL, f"s-{plan}", plan, ref, fix))
    return Promote(PRINCIPAL, f"p-{plan}", plan, (ref,))


async def in_flight(jobs: Iterable[T], run: Callable[[T], Awaitable[object]], workers: int) -> None:
    """`run` every job, `workers` of them at any time."""
    waiting = iter(jobs)

    async def work() -> None:
        for job in waiting:
            await run(job)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
