"""Functions that a worker process runs, and what of them is seen from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bps.workshop.processes import Processes
from bps.workshop.workshop import ProcessWorkshop

A = TypeVar("A")
T = TypeVar("T")


class Slowly(NamedTuple):
    """`function(argument)` after `wait_s`, or after as long as `until` does not exist."""

    function: Callable[[Any], Any]
    argument: Any
    until: str


def slowly(work: Slowly) -> Any:
    """In the worker: tell that it begins, and wait for the file."""
    Path(f"{work.until}.begun-{os.getpid()}").touch()
    while not Path(work.until).exists():
        time.sleep(0.01)
    return work.function(work.argument)


class HeldWorkshop(ProcessWorkshop):
    """Its merges stand still in their process until the file `until` is there."""

    def __init__(self, until: Path, *, limit_s: float = 30.0) -> None:
        super().__init__(Processes(limit_s=limit_s))
        self.until = until

    async def compute(self, function: Callable[[A], T], argument: A) -> T:
        return await super().compute(slowly, Slowly(function, argument, str(self.until)))

    @property
    def begun(self) -> list[int]:
        """The processes in which a merge has begun."""
        found = self.until.parent.glob(f"{self.until.name}.begun-*")
        return [int(each.name.rpartition("-")[2]) for each in found]

    @property
    def judges(self) -> list[int]:
        """The processes for validators that are ready."""
        return self._pool.pids


def exists(pid: int) -> bool:
    """Whether the process is there, be it a zombie."""
    return Path(f"/proc/{pid}").exists()


def lives(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
