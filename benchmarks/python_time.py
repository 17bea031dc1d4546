"""Microseconds of Python a promotion: on the in-memory store, so that nothing waits for etcd.

What the store itself and the event loop take is in it; what gRPC takes in a real one is not. One
plan has two entries in its clocks, the other 201.
"""

from __future__ import annotations

import random
import statistics
from time import process_time

from benchmarks.blueprints import blueprint
from benchmarks.figures import Figure
from benchmarks.options import Budget, Options
from benchmarks.writer import PRINCIPAL, Writer, succeeded_plan, writer
from bps.clock import SystemClock
from bps.core.ids import BranchRef
from bps.plans.blob import Blob, pack
from bps.plans.branches import OpenBranch, SubmitBranch
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.store.memory.store import MemoryStore

_BLOCK = 200
_BRANCHES = 200
_LEAST_ROUNDS = 3


async def measure(options: Options) -> list[Figure]:
    """CPU time of `execute(Promote(...))` on warm plans, medians of blocks of 200."""
    source = random.Random(options.seed)
    text = blueprint(source, 10_000)
    fixes = [pack(text.replace(b"version: 1", b"version: %d" % (n + 2))) for n in range(_BRANCHES)]
    small: list[float] = []
    large: list[float] = []
    budget = Budget(options.seconds / 4, least=_LEAST_ROUNDS)
    async with writer(MemoryStore(SystemClock())) as leader:
        while budget.another():
            small.append(await _small(leader, budget.rounds, pack(text), fixes[0]))
            large.append(await _large(leader, budget.rounds, pack(text), fixes))
    return [
        Figure("Python a promotion, clock of 2 entries", statistics.median(small), "us"),
        Figure("Python a promotion, clock of 102-201 entries", statistics.median(large), "us"),
    ]


async def _small(leader: Writer, number: int, canonical: Blob, fix: Blob) -> float:
    """Microseconds a promotion on plans of one branch."""
    plans = [f"EP-{number}{i:04d}" for i in range(_BLOCK)]
    promotions = [await succeeded_plan(leader.path, plan, canonical, fix) for plan in plans]
    started = process_time()
    for promotion in promotions:
        await leader.path.execute(promotion)
    return (process_time() - started) / len(promotions) * 1e6


async def _large(leader: Writer, number: int, canonical: Blob, fixes: list[Blob]) -> float:
    """Microseconds a promotion of the second half of one plan's 200 branches."""
    plan = f"EP-9{number:04d}"
    await leader.path.execute(
        RegisterPlan(PRINCIPAL, f"r-{plan}", plan, "bench", "Checkout", canonical)
    )
    taken: list[float] = []
    for i, fix in enumerate(fixes):
        op = f"{plan}-{i}"
        opened = await leader.path.execute(
            OpenBranch(PRINCIPAL, f"o-{op}", plan, f"trace-{i}", f"sha256:{i}")
        )
        ref = BranchRef(opened.result.branch, 1)
        await leader.path.execute(SubmitBranch(PRINCIPAL, f"s-{op}", plan, ref, fix))
        started = process_time()
        await leader.path.execute(Promote(PRINCIPAL, f"p-{op}", plan, (ref,)))
        taken.append(process_time() - started)
    return statistics.mean(taken[len(taken) // 2 :]) * 1e6
