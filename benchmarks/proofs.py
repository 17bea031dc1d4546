"""`verify` and `replay` of one plan with 200 branches: events a second, and peak memory.

The baseline, in the same rounds, reads the same pages of envelopes and bodies and does nothing.
Events a second of this process's own CPU time tell what a machine that is not shared would give.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from time import perf_counter, process_time

from benchmarks.cluster import client, cluster
from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.long_log import LogShape, load_long_log
from benchmarks.options import Budget, Options, say
from bps.core import keys
from bps.core.ports import Store
from bps.replay.log import pages, pin
from bps.replay.replay import replay
from bps.replay.verify import verify

BRANCHES = 200
LINKS = 45
_SIZES = {"EP-4": 10_000, "EP-5": 100_000}
_FULL = {"EP-6": 1_000_000}
_TIMED = "EP-5"
_LEAST_ROUNDS = 3
_TARGETS = {"verify": 20_000, "replay": 10_000}


async def measure(options: Options) -> list[Figure]:
    """Speed on 10^5 events; memory at 10^4 against 10^5, with `--full` 10^6."""
    sizes = {**_SIZES, **(_FULL if options.full else {})}
    with cluster() as endpoints:
        async with client(endpoints) as store:
            events: dict[str, int] = {}
            for plan, size in sizes.items():
                started = perf_counter()
                shape = LogShape(size, BRANCHES, LINKS)
                events[plan] = await load_long_log(store, plan, shape, options.seed)
                say(f"  {events[plan]:,} events loaded in {perf_counter() - started:.0f} s")
            figures = await _speed(store, events[_TIMED], options)
        for act in ("verify", "replay"):
            figures += await _memory(endpoints, act, events)
    return figures


async def _speed(store: Store, events: int, options: Options) -> list[Figure]:
    acts: dict[str, Callable[[Store, str], Awaitable[object]]] = {
        "verify": verify,
        "replay": replay,
        "pages": _bare_pages,
    }
    rates: dict[str, list[float]] = {name: [] for name in acts}
    cpu_rates: dict[str, list[float]] = {name: [] for name in acts}
    budget = Budget(options.seconds, least=_LEAST_ROUNDS)
    while budget.another():
        for name, act in acts.items():
            started, cpu_started = perf_counter(), process_time()
            await act(store, _TIMED)
            rates[name].append(events / (perf_counter() - started))
            cpu_rates[name].append(events / (process_time() - cpu_started))
        block = ", ".join(f"{name} {shown(each[-1])}" for name, each in rates.items())
        say(f"  round {budget.rounds}: {block} events/s")
    figures: list[Figure] = []
    for name, target in _TARGETS.items():
        figures += [
            Figure(name, statistics.median(rates[name]), "events/s", at_least=target),
            Figure(f"{name}: a second of own CPU", statistics.median(cpu_rates[name]), "events"),
            Figure(f"{name}: of bare page reads", median_ratio(rates[name], rates["pages"])),
        ]
    return figures


async def _bare_pages(store: Store, plan: str) -> None:
    log = await pin(store, plan)
    plan_keys = keys.PlanKeys(plan)
    for prefix, key_of in (
        (plan_keys.events, plan_keys.event),
        (plan_keys.bodies, plan_keys.body),
    ):
        all_pages = pages(store, prefix, log.revision, key_of=key_of, last=log.head.seq)
        async with aclosing(all_pages) as found:
            async for _ in found:
                pass


async def _memory(endpoints: list[str], act: str, events: dict[str, int]) -> list[Figure]:
    peaks_kib: list[int] = []
    plans = [min(events, key=events.__getitem__), max(events, key=events.__getitem__)]
    for plan in plans:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.resident_memory", ",".join(endpoints), plan, act),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
        peaks_kib.append(int(printed))
    small, large = (f"{events[plan]:,} events" for plan in plans)
    return [
        Figure(f"{act}: peak memory, {small}", peaks_kib[0] / 1024, "MiB"),
        Figure(f"{act}: peak memory, {large}", peaks_kib[1] / 1024, "MiB"),
        Figure(f"{act}: peak memory, ratio", peaks_kib[1] / peaks_kib[0], at_most=1.25),
    ]
