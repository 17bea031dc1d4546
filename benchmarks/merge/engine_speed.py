"""The merge in process: beside ruamel.yaml's round trip, by size, and its peak memory.

Times are CPU time of this process, with its garbage collector as Python sets it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import sys
from collections import defaultdict
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from ruamel.yaml import YAML

from benchmarks.figures import Figure, shown
from benchmarks.merge.inputs import SIZES, Versions, scattered
from benchmarks.merge.programs import written
from benchmarks.options import Budget, Options, say
from bps.merge.engine import merge
from bps.merge.records import Contribution

_LEAST_ROUNDS = 3
_BLOCK_BYTES = 200_000
_LONG_S = 5.0
"""A baseline that takes longer than this is measured once."""
_RATIO, _GROWTH, _MEMORY = 12, 12, 25


async def measure(options: Options) -> list[Figure]:
    """Speed by size, growth from size to size, and memory of a process for each size."""
    versions = {name: scattered(size, options.seed) for name, size in SIZES.items()}
    figures = _speed(versions, options)
    for name, each in versions.items():
        ratio = await _peak_bytes(each) / each.size_bytes
        figures.append(
            Figure(f"merge {name}: peak RSS, of the three inputs", ratio, "x", at_most=_MEMORY)
        )
    return figures


def merged(versions: Versions) -> str:
    """Merge; raises AssertionError where the result is not the one that is expected."""
    base, a, b = versions.inputs
    found = merge(base, [Contribution("A", base, a), Contribution("B", base, b)])
    assert found.text == versions.merged
    return found.text


def _speed(versions: dict[str, Versions], options: Options) -> list[Figure]:
    ours: defaultdict[str, list[float]] = defaultdict(list)
    baseline: defaultdict[str, list[float]] = defaultdict(list)
    budget = Budget(options.seconds, least=_LEAST_ROUNDS)
    while budget.another():
        for name, each in versions.items():
            ours[name].append(_merge_s(each))
            if budget.rounds == 1 or baseline[name][0] < _LONG_S:
                baseline[name].append(_round_trip_s(each))
        told = ", ".join(f"{name} {shown(times[-1] * 1e3)} ms" for name, times in ours.items())
        say(f"  round {budget.rounds}: {told}")
    figures: list[Figure] = []
    for name, times in ours.items():
        took_s, trip_s = statistics.median(times), statistics.median(baseline[name])
        figures += [
            Figure(f"merge {name}: CPU", took_s * 1e3, "ms"),
            Figure(f"merge {name}: ruamel.yaml's round trip, CPU", trip_s * 1e3, "ms"),
            Figure(f"merge {name}: times faster", trip_s / took_s, "x", at_least=_RATIO),
        ]
    for small, large in itertools.pairwise(ours):
        growth = statistics.median(b / a for a, b in zip(ours[small], ours[large], strict=True))
        figures.append(Figure(f"merge {large}: time of {small}'s", growth, "x", at_most=_GROWTH))
    return figures


def _merge_s(versions: Versions) -> float:
    merges = max(1, _BLOCK_BYTES // len(versions.base))
    gc.collect()
    started = process_time()
    for _ in range(merges):
        merged(versions)
    return (process_time() - started) / merges


def _round_trip_s(versions: Versions) -> float:
    """Load all three with the round-trip loader and dump one."""
    gc.collect()
    started = process_time()
    loaded = [YAML(typ="rt").load(text) for text in versions.inputs]
    YAML(typ="rt").dump(loaded[0], StringIO())
    return process_time() - started


async def _peak_bytes(versions: Versions) -> int:
    with TemporaryDirectory() as directory:
        files = written(Path(directory), *versions.inputs)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.merge.resident_memory", *map(str, files)),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    return int(printed)
