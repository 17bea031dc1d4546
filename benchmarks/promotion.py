"""Promotions on a warm write path against bare calls of the same client, 1 and 32 in flight.

A round is a block of ours, a block of bare pairs and one of bare CAS; ratios are those of
neighbouring blocks. The policy allows no validators, so that law 1 tells the result and no
blueprint is read; the last rows are the same promotions under the default policy, whose validators
judge each of them. A bare pair does on a copy of the plan what a cold promotion sends: the same
reads, then a transaction with the same compares, operations and bytes. A bare CAS creates one key.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

from benchmarks.bare_calls import Pattern, pattern_of
from benchmarks.blueprints import blueprint
from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.options import Budget, Options, say
from benchmarks.writer import SETUP_IN_FLIGHT, Writer, in_flight, succeeded_plan, writer
from bps.core import keys
from bps.core.errors import BpsError
from bps.core.ports import Read, Store
from bps.core.txn import Committed, Put, Txn, absent
from bps.plans.blob import Blob, pack
from bps.promotion.promote import Promote

BLUEPRINT_BYTES = 10_000
_TARGETS = {1: (0.6, 0.25), 32: (0.4, 0.10)}
_BLOCK = {1: 200, 32: 640}
_LEAST_ROUNDS = 5
_JUDGED = 160
T = TypeVar("T")


@dataclass(slots=True)
class _Rates:
    """Per second, a block each."""

    ours: list[float] = field(default_factory=list)
    pair: list[float] = field(default_factory=list)
    cas: list[float] = field(default_factory=list)


async def measure(options: Options) -> list[Figure]:
    """The figures for 1 and for 32 in flight."""
    figures: list[Figure] = []
    with cluster() as endpoints:
        async with client(endpoints) as store, writer(store) as leader:
            bench = await _Bench.prepare(store, leader, options.seed)
            for workers in _BLOCK:
                rates = await bench.rounds(
                    workers, Budget(options.seconds / 2, least=_LEAST_ROUNDS)
                )
                figures += _figures(workers, rates)
            plain, judged = await bench.judged(Budget(options.seconds / 4, least=_LEAST_ROUNDS))
            figures += [
                Figure("promotion, 32 in flight: with validators", median(judged), "/s"),
                Figure("promotion: with validators, of without", median_ratio(judged, plain)),
            ]
    return figures


def _figures(workers: int, rates: _Rates) -> list[Figure]:
    to_pair, to_cas = _TARGETS[workers]
    name = f"promotion, {workers} in flight"
    return [
        Figure(f"{name}: ours", sorted(rates.ours)[len(rates.ours) // 2], "/s"),
        Figure(f"{name}: bare pair", sorted(rates.pair)[len(rates.pair) // 2], "/s"),
        Figure(f"{name}: bare CAS", sorted(rates.cas)[len(rates.cas) // 2], "/s"),
        Figure(f"{name}: of the pair", median_ratio(rates.ours, rates.pair), at_least=to_pair),
        Figure(f"{name}: of the CAS", median_ratio(rates.ours, rates.cas), at_least=to_cas),
    ]


@dataclass(slots=True)
class _Bench:
    store: Store
    leader: Writer
    pattern: Pattern
    canonical: Blob
    fix: Blob
    plans_used: int = 10_000_000
    copies_used: int = 50_000_000

    @classmethod
    async def prepare(cls, store: Store, leader: Writer, seed: int) -> _Bench:
        source = random.Random(seed)
        text = blueprint(source, BLUEPRINT_BYTES)
        canonical, fix = pack(text), pack(text.replace(b"version: 1", b"version: 2"))
        pattern = await pattern_of(store, leader, "EP-50000000", canonical, fix)
        return cls(store, leader, pattern, canonical, fix)

    async def rounds(self, workers: int, budget: Budget) -> _Rates:
        rates = _Rates()
        while budget.another():
            size = _BLOCK[workers]
            promotions, pairs, creations = await self._jobs(size)
            rates.ours.append(await _rate(promotions, self._promote, workers))
            rates.pair.append(await _rate(pairs, self._pair, workers))
            rates.cas.append(await _rate(creations, self._commit, workers))
            block = ", ".join(shown(rate[-1]) for rate in (rates.ours, rates.pair, rates.cas))
            say(f"  {workers} in flight, round {budget.rounds}: ours, pair, CAS = {block} /s")
        return rates

    async def judged(self, budget: Budget) -> tuple[list[float], list[float]]:
        """Per second, without and with the default policy's validators; 32 in flight."""
        rates: tuple[list[float], list[float]] = ([], [])
        while budget.another():
            for with_validators, rate in enumerate(rates):
                await self.leader.allow(validators=bool(with_validators))
                jobs: list[Promote] = []
                await in_flight(range(_JUDGED), partial(self._one, jobs), SETUP_IN_FLIGHT)
                rate.append(await _rate(jobs, self._promote, SETUP_IN_FLIGHT))
            say(f"  without, with validators: {', '.join(shown(rate[-1]) for rate in rates)} /s")
        return rates

    async def _one(self, jobs: list[Promote], _: int) -> None:
        self.plans_used += 1
        plan = f"EP-{self.plans_used}"
        jobs.append(await succeeded_plan(self.leader.path, plan, self.canonical, self.fix))

    async def _jobs(
        self, size: int
    ) -> tuple[list[Promote], list[tuple[list[Read], Txn]], list[Txn]]:
        promotions: list[Promote] = []
        pairs: list[tuple[list[Read], Txn]] = []

        async def one(_: int) -> None:
            self.plans_used += 1
            self.copies_used += 1
            plan, copy = f"EP-{self.plans_used}", f"EP-{self.copies_used}"
            promotions.append(
                await succeeded_plan(self.leader.path, plan, self.canonical, self.fix)
            )
            made = await self.store.commit(self.pattern.preparation(copy))
            pairs.append(self.pattern.pair(copy, made.revision))

        await in_flight(range(size), one, SETUP_IN_FLIGHT)
        first = self.copies_used
        creations = [
            Txn((absent(key),), (Put(key, b"1"),))
            for key in (keys.ROOT + b"bench/cas/%d" % (first + i) for i in range(size))
        ]
        return promotions, pairs, creations

    async def _promote(self, promote: Promote) -> None:
        await self.leader.path.execute(promote)

    async def _pair(self, job: tuple[list[Read], Txn]) -> None:
        await self.store.snapshot(job[0])
        await self._commit(job[1])

    async def _commit(self, txn: Txn) -> None:
        answer = await self.store.commit(txn)
        if not isinstance(answer, Committed):
            raise BpsError("A bare transaction of the benchmark met a conflict.")


async def _rate(jobs: Sequence[T], run: Callable[[T], Awaitable[None]], workers: int) -> float:
    started = perf_counter()
    await in_flight(jobs, run, workers)
    return len(jobs) / (perf_counter() - started)
