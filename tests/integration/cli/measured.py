"""A process's CPU time and peak memory, measured by a small parent of its own.

The kernel counts what a process was before `exec` to its peak; under the test runner that is the
runner. So a bare interpreter starts the command, waits for it, and reports through a file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_PARENT = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w") as file:
    json.dump([process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], file)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A process that ended, with what it used."""

    code: int
    out: str
    err: str
    cpu_s: float
    wall_s: float
    peak_mib: float


def measured(
    *arguments: str, env: Mapping[str, str], stdin: bytes = b"", deadline_s: float = 60.0
) -> Measured:
    """Run `bps ARGUMENTS` to its end. Raises TimeoutExpired."""
    with TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        command = (sys.executable, "-m", "bps.cli", *arguments)
        started_s = time.monotonic()
        done = subprocess.run(
            (sys.executable, "-I", "-S", "-c", _PARENT, str(report), *command),
            env=env,
            input=stdin,
            capture_output=True,
            timeout=deadline_s,
            check=True,
        )
        wall_s = time.monotonic() - started_s
        code, cpu_s, peak_mib = json.loads(report.read_text())
    return Measured(code, done.stdout.decode(), done.stderr.decode(), cpu_s, wall_s, peak_mib)
