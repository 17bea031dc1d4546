"""Real merges that people made: bps beside `git merge-file` and mergiraf, judged.

BPS_MERGE_CASES names a directory with a folder for each case, called `<kind>-<number>`, that holds
`base.yaml`, `ours.yaml`, `theirs.yaml` and `committed.yaml`. Kinds: `clean`,
`mechanical-git-conflict` and `true-conflict`. Kinds were chosen by what a line merge does, so they
settle most verdicts of `git merge-file` beforehand; they are no sample of all merges.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.figures import Figure
from benchmarks.merge.judging import Verdict, judge
from benchmarks.merge.programs import Program, git_merge_file, mergiraf, result, written
from benchmarks.options import Options, say
from bps.merge.engine import merge
from bps.merge.records import Contribution
from bps.merge.refusals import Unreadable

_VARIABLE = "BPS_MERGE_CASES"


class _Case(NamedTuple):
    kind: str
    base: str
    ours: str
    theirs: str
    committed: str


async def measure(_: Options) -> list[Figure]:
    """Verdicts of each tool over all cases; nothing where there are no cases."""
    named = os.environ.get(_VARIABLE)
    if not named:
        say(f"  real cases are skipped: {_VARIABLE} names no directory")
        return []
    return _figures(_cases(Path(named)))


def _figures(cases: list[_Case]) -> list[Figure]:
    tools: dict[str, Callable[[_Case], str | None]] = {"bps": _engine}
    for program in (git_merge_file(), mergiraf()):
        if program is not None:
            tools[program.name] = _by(program)
    figures = [Figure("real cases", len(cases))]
    print(f"{'tool':16}{'kind':26}" + "".join(f"{each:>16}" for each in (*Verdict, "right, exact")))
    for name, tool in tools.items():
        tally = _tally(cases, tool)
        for kind in sorted({case.kind for case in cases}):
            cells = "".join(f"{tally[kind, column]:16}" for column in (*Verdict, "exact"))
            print(f"{name:16}{kind:26}{cells}")
        for verdict in Verdict:
            total = sum(count for (_, column), count in tally.items() if column == verdict)
            bound = 0 if name == "bps" and verdict is Verdict.MISSED else None
            figures.append(Figure(f"real cases: {verdict}, {name}", total, at_most=bound))
        exact = sum(count for (_, column), count in tally.items() if column == "exact")
        figures.append(Figure(f"real cases: right also in order, {name}", exact))
    print()
    return figures


def _tally(cases: list[_Case], tool: Callable[[_Case], str | None]) -> Counter[tuple[str, str]]:
    tally: Counter[tuple[str, str]] = Counter()
    for case in cases:
        judged = judge(case.kind, case.base, case.committed, tool(case))
        tally[case.kind, judged.verdict] += 1
        tally[case.kind, "exact"] += judged.exact
    return tally


def _cases(directory: Path) -> list[_Case]:
    """Read every case; byte for byte, so that line ends stay.

    Raises:
        FileNotFoundError: the directory, or a file of a case, is not there.
    """
    found = []
    for folder in sorted(each for each in directory.iterdir() if each.is_dir()):
        names = ("base", "ours", "theirs", "committed")
        texts = [(folder / f"{name}.yaml").read_bytes().decode() for name in names]
        found.append(_Case(folder.name.rpartition("-")[0], *texts))
    return found


def _engine(case: _Case) -> str | None:
    """What the engine says; what it refuses to read counts as a conflict, and is said."""
    sides = [Contribution("ours", case.base, case.ours)]
    sides.append(Contribution("theirs", case.base, case.theirs))
    try:
        return merge(case.base, sides).text
    except Unreadable as error:
        say(f"  bps refuses a case of kind {case.kind}: {error.what}")
        return None


def _by(program: Program) -> Callable[[_Case], str | None]:
    def run(case: _Case) -> str | None:
        with TemporaryDirectory() as directory:
            files = written(Path(directory), case.base, case.ours, case.theirs)
            return result(program, files)

    return run
