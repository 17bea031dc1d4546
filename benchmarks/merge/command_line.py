"""`bps merge` as a command, beside a bare Python interpreter, `git merge-file` and mergiraf.

Times are CPU time of the process, medians over rounds in which every program has its turn, for
that is what a busy machine disturbs least; the printed table has the time on the wall too.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, median_ratio, shown
from benchmarks.merge.inputs import SIZES, Versions, neighbouring, scattered
from benchmarks.merge.programs import (
    Files,
    Program,
    Spent,
    bps_merge,
    git_merge_file,
    mergiraf,
    result,
    spent,
    written,
)
from benchmarks.options import Budget, Options

_LEAST_ROUNDS = 5
_BARE = "bare Python"
_BARE_COMMAND = [sys.executable, "-c", "pass"]
_OF_BARE = 5
_EDITS = {"scattered": scattered, "neighbouring": neighbouring}


async def measure(options: Options) -> list[Figure]:
    """CPU time of every program for both ways of editing and each size, and what it says."""
    programs = [each for each in (bps_merge(), git_merge_file(), mergiraf()) if each is not None]
    print(f"{'20 edits a side':22}{'program':16}{'CPU ms':>10}{'wall ms':>10}  result")
    figures: list[Figure] = []
    seconds = options.seconds / (len(_EDITS) * len(SIZES))
    for edits, made in _EDITS.items():
        for size, size_bytes in SIZES.items():
            versions = made(size_bytes, options.seed)
            figures += _one(f"{edits}, {size}", versions, programs, seconds)
    print()
    return figures


def _one(
    name: str, versions: Versions, programs: Sequence[Program], seconds: float
) -> list[Figure]:
    with TemporaryDirectory() as directory:
        files = written(Path(directory), *versions.inputs)
        said = {each.name: _said(each, files, versions) for each in programs}
        runs = _runs(files, programs, seconds)
    figures: list[Figure] = []
    for program in programs:
        cpu_ms = statistics.median(run.cpu_s for run in runs[program.name]) * 1e3
        wall_ms = statistics.median(run.wall_s for run in runs[program.name]) * 1e3
        row = f"{name:22}{program.name:16}{shown(cpu_ms):>10}{shown(wall_ms):>10}"
        print(f"{row}  {said[program.name]}")
        figures.append(Figure(f"{program.name}, {name}: CPU", cpu_ms, "ms"))
    ours, bare = ([run.cpu_s for run in runs[each]] for each in (programs[0].name, _BARE))
    bound = _OF_BARE if len(versions.base) < 2 * min(SIZES.values()) else None
    figures.append(
        Figure(f"bps merge, {name}: of a bare start", median_ratio(ours, bare), "x", at_most=bound)
    )
    return figures


def _said(program: Program, files: Files, versions: Versions) -> str:
    text = result(program, files)
    if text is None:
        return "conflict"
    return "as expected" if text == versions.merged else "clean, other bytes than expected"


def _runs(
    files: Files, programs: Sequence[Program], seconds: float
) -> defaultdict[str, list[Spent]]:
    runs: defaultdict[str, list[Spent]] = defaultdict(list)
    spent(_BARE_COMMAND, files)  # leaves its bytecode, as asking the programs did for theirs
    budget = Budget(seconds, least=_LEAST_ROUNDS)
    while budget.another():
        runs[_BARE].append(spent(_BARE_COMMAND, files))
        for program in programs:
            runs[program.name].append(spent(program.command(files), files, program.most_conflicts))
    return runs
