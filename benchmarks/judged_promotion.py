"""Promotions over HTTP under the default policy's validators, against the same without any.

Every plan has a text of its own, of which the fix changes two lines, so that nothing was parsed
before that a promotion needs. A round is a service without validators and one with, on
neighbouring blocks of plans. Before a block some promotions start the worker process, and the
service works off what was written. CPU time is that of the service and of its children, which are
the workers.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.blueprints import blueprint
from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.http_service import supervisor_token
from benchmarks.http_side import PlanTexts, Side
from benchmarks.options import Budget, Options, say
from benchmarks.service_process import ServiceProcess, service
from benchmarks.writer import writer

_BLOCK = 320
_ALONE = 60
_WARMING = 32
_IN_FLIGHT = 32
_SIZE_BYTES = 10_000
_LEAST_ROUNDS = 5
_QUIET_S = 1.0
_QUIET_SHARE = 0.05
_QUIET_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class _Block:
    """One side of a round. CPU time is that of one promotion."""

    rate: float
    alone_s: float
    service_cpu_s: float
    workers_cpu_s: float
    workers_mib: float


async def measure(options: Options) -> list[Figure]:
    """The rate at 32 in flight and the time alone; CPU time a promotion, memory of the workers."""
    plain: list[_Block] = []
    judged: list[_Block] = []
    plans = _Plans(options.seed)
    budget = Budget(options.seconds, least=_LEAST_ROUNDS)
    with cluster() as endpoints, TemporaryDirectory() as state:
        token = await supervisor_token(endpoints)
        while budget.another():
            plain.append(await _block(endpoints, Path(state), token, plans, validators=False))
            judged.append(await _block(endpoints, Path(state), token, plans, validators=True))
            say(f"  round {budget.rounds}: {_told(plain[-1])}; with validators {_told(judged[-1])}")
    rates = [each.rate for each in judged], [each.rate for each in plain]
    added_s = [j.alone_s - p.alone_s for j, p in zip(judged, plain, strict=True)]
    service_s = [j.service_cpu_s - p.service_cpu_s for j, p in zip(judged, plain, strict=True)]
    return [
        Figure("HTTP promotion, texts of their own", median(rates[1]), "/s"),
        Figure("the same with validators", median(rates[0]), "/s", at_least=300),
        Figure("with validators, of without", median_ratio(*rates)),
        Figure("alone: added by validators", 1e3 * median(added_s), "ms", at_most=3.0),
        Figure("CPU added: service", 1e3 * median(service_s), "ms"),
        Figure("CPU added: workers", 1e3 * median(each.workers_cpu_s for each in judged), "ms"),
        Figure("memory of the workers", median(each.workers_mib for each in judged), "MiB"),
    ]


class _Plans:
    """Plans that no other block has, each with its own text."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        self._numbers = count(1)

    def next(self, many: int) -> list[PlanTexts]:
        """So many of them."""
        return [self._one(next(self._numbers)) for _ in range(many)]

    def _one(self, number: int) -> PlanTexts:
        text = blueprint(self._source, _SIZE_BYTES)
        fix = text.replace(b"version: 1", b"version: 2")
        fix = fix.replace(b"estimate_h: ", b"estimate_h: 1", 1)
        return PlanTexts(f"EP-{number}", text, fix)


async def _block(
    endpoints: list[str], state: Path, token: str, plans: _Plans, *, validators: bool
) -> _Block:
    async with client(endpoints) as store, writer(store) as leader:
        await leader.allow(validators=validators)
    with service(endpoints, state) as serving:
        side = Side(serving, token)
        await side.promotions(plans.next(_WARMING), _IN_FLIGHT)
        due = plans.next(_BLOCK)
        await side.succeed(due)
        await _quiet(serving)
        service_s, workers_s = serving.cpu_s, serving.children_cpu_s
        rate = await side.promote(due, _IN_FLIGHT)
        service_s, workers_s = serving.cpu_s - service_s, serving.children_cpu_s - workers_s
        alone_s = median(await side.promotion_times_s(plans.next(_ALONE)))
        workers_mib = serving.children_rss_kib / 1024
    return _Block(rate, alone_s, service_s / _BLOCK, workers_s / _BLOCK, workers_mib)


async def _quiet(serving: ServiceProcess) -> None:
    """Wait until it has worked off what was written before: checkpoints, and its own start."""
    async with asyncio.timeout(_QUIET_WITHIN_S):
        while True:
            before_s = serving.cpu_s
            await asyncio.sleep(_QUIET_S)
            if serving.cpu_s - before_s <= _QUIET_S * _QUIET_SHARE:
                return


def _told(block: _Block) -> str:
    cpu_s = block.service_cpu_s + block.workers_cpu_s
    return f"{shown(block.rate)}/s, alone {block.alone_s * 1e3:.2f} ms, CPU {cpu_s * 1e3:.2f} ms"
