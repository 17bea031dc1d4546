"""`run`: schedules one after the other, each appended to a file, the table, and the last line."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import start_cluster
from tests.fault.cluster import SMALL_QUOTA, ToolMissingError
from tests.fault.failpoints import FAULTS
from tests.fault.failpoints.base import Fault, lacking
from tests.fault.report import Row, append, last_line, load, markdown
from tests.fault.scene import Scene, scene
from tests.fault.schedule import Run, draw

SIDECARS = 3
EXIT_VIOLATED, EXIT_NO_TOOL = 1, 2


@dataclass(frozen=True, slots=True)
class Options:
    """`out` gets a row per schedule; schedules that it has already are not run again.

    Histories of schedules that failed stay beside it.
    """

    seed: int
    schedules: int
    budget_s: float
    out: Path
    faults: Sequence[type[Fault]] = FAULTS


class Runner:
    """Runs schedules on a scene that is kept as long as it is whole."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.rows: list[Row] = load(options.out)

    async def run(self) -> None:
        """All schedules that are left, within the budget.

        Raises:
            ToolMissingError: a fault cannot be caused on this machine.
        """
        options = self._options
        options.out.parent.mkdir(parents=True, exist_ok=True)
        began_s = time.monotonic()
        done = {row.seed for row in self.rows}
        left = [n for n in range(options.seed, options.seed + options.schedules) if n not in done]
        while left and time.monotonic() - began_s < options.budget_s:
            async with _fresh_scene(options.seed) as on:
                _check_tools(options.faults, on)
                while left and not on.is_broken and time.monotonic() - began_s < options.budget_s:
                    await self._one(on, left.pop(0))
                    on.is_broken = on.is_broken or await on.is_filling_up()

    async def _one(self, on: Scene, seed: int) -> None:
        history = self._options.out.parent / f"history-{seed}.jsonl"
        history.unlink(missing_ok=True)
        run = Run(on, draw(seed, self._options.faults), history)
        began_s = time.monotonic()
        row = await run.perform()
        append(self._options.out, row)
        self.rows.append(row)
        _say(f"{seed}: {row.fault}: {row.verdict} ({time.monotonic() - began_s:.1f} s)")
        if row.passed:
            history.unlink()
            return
        for violation in run.violations:
            _say(f"  {violation}")
        _say(f"  history: {history}")


def run(options: Options) -> int:
    """Run and tell; the exit code."""
    runner = Runner(options)
    try:
        asyncio.run(runner.run())
    except ToolMissingError as error:
        _say(f"error: {error}")
        return EXIT_NO_TOOL
    _say(markdown(runner.rows))
    _say(last_line(runner.rows))
    return 0 if all(row.passed for row in runner.rows) else EXIT_VIOLATED


@asynccontextmanager
async def _fresh_scene(seed: int) -> AsyncIterator[Scene]:
    # Members that are processes die with the thread that started them: this one.
    cluster, sentence = start_cluster(SMALL_QUOTA)
    _say(f"on {sentence}")
    try:
        with tempfile.TemporaryDirectory(prefix="bps-fault-") as directory:
            source = random.Random(seed)
            async with scene(cluster, Path(directory), source, sidecars=SIDECARS) as found:
                yield found
    finally:
        cluster.stop()


def _check_tools(faults: Sequence[type[Fault]], on: Scene) -> None:
    for fault in faults:
        missing = lacking(fault.needs, on, own_cluster=True)
        if missing:
            raise ToolMissingError(
                f"FAULT_TOOL_MISSING: '{fault.name}' needs {' and '.join(missing)}"
            )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
