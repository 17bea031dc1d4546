"""The programs that merge three files, and what one run of them says and costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from benchmarks.options import say

_GIT_MOST_CONFLICTS = 127
_MARKER = b"<<<<<<< "
_GAVE_UP = b"took too long"


class Files(NamedTuple):
    """The three versions on disk."""

    base: Path
    a: Path
    b: Path


class Program(NamedTuple):
    """`most_conflicts`: exits from 1 to this one mean conflicts, any other an error."""

    name: str
    command: Callable[[Files], list[str]]
    most_conflicts: int


class Spent(NamedTuple):
    """What one run took: CPU time of the process, user and system, and time on the wall."""

    cpu_s: float
    wall_s: float


def bps_merge() -> Program:
    """`bps merge`, the script that is installed beside this Python."""
    script = str(Path(sys.executable).with_name("bps"))
    return Program("bps merge", lambda f: [script, "merge", *map(str, f)], 1)


def git_merge_file() -> Program:
    """`git merge-file`, line by line."""
    return Program(
        "git merge-file",
        lambda f: ["git", "merge-file", "-p", "-q", *map(str, (f.a, f.base, f.b))],
        _GIT_MOST_CONFLICTS,
    )


def mergiraf() -> Program | None:
    """The mergiraf that BPS_MERGIRAF names, or that PATH has; None, and said, where there is none.

    Raises:
        FileNotFoundError: BPS_MERGIRAF names nothing that can be run.
    """
    named = os.environ.get("BPS_MERGIRAF")
    found = shutil.which(named or "mergiraf")
    if found is None:
        if named:
            raise FileNotFoundError(named)
        say("  mergiraf is skipped: there is none in PATH; `make bench-peers` builds it")
        return None
    return Program("mergiraf", lambda f: [found, "merge", *map(str, f), "-p", "x.yaml"], 1)


def written(directory: Path, base: str, a: str, b: str) -> Files:
    """Write the three versions byte for byte."""
    files = Files(directory / "base.yaml", directory / "a.yaml", directory / "b.yaml")
    for path, text in zip(files, (base, a, b), strict=True):
        path.write_bytes(text.encode())
    return files


def result(program: Program, files: Files) -> str | None:
    """The merged text; None where the program tells of a conflict, by its exit or by markers.

    Raises:
        CalledProcessError: the program failed.
    """
    command = program.command(files)
    ended = subprocess.run(command, capture_output=True, check=False, env=_environment(files))
    if _GAVE_UP in ended.stderr:
        say(f"  {program.name} gives up after its own limit of time, and merges by lines")
    if 1 <= ended.returncode <= program.most_conflicts:
        return None
    ended.check_returncode()
    if _MARKER in ended.stdout and not any(_MARKER in path.read_bytes() for path in files):
        say(f"  {program.name} exits 0 with conflict markers in its text; counted as a conflict")
        return None
    return ended.stdout.decode()


def _environment(files: Files) -> dict[str, str]:
    """Ours, but what programs keep between runs is beside the files: bytecode, mergiraf's merges.

    Python has bytecode even where the caller forbids it: an installed `bps` has it too.
    """
    kept = str(files.base.parent)
    ours = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "XDG_DATA_HOME": kept, "PYTHONPYCACHEPREFIX": f"{kept}/bytecode"}


def spent(command: list[str], files: Files, most_conflicts: int = 0) -> Spent:
    """Run a command to its end, its output thrown away.

    Raises:
        CalledProcessError: it ended with neither 0 nor a number of conflicts.
    """
    environment = _environment(files)
    started = perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if not 0 <= process.returncode <= most_conflicts:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Spent(usage.ru_utime + usage.ru_stime, wall_s)
