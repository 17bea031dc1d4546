"""Starts a program that ends when the process that started it ends, even by `kill -9`.

The starter runs `parent_bound_command(program)`, which runs this file by its path, with the
standard library alone, so that it is quick and needs no import of `bps`.

Linux: the kernel sends SIGKILL at the death of the *thread* that started the program
(prctl PR_SET_PDEATHSIG), so start it from a thread that lives as long as the process.
Other systems: this wrapper stays and kills the program when its standard input, a pipe that the
starter holds open, reaches its end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Literal

Mode = Literal["signal", "pipe"]

_PR_SET_PDEATHSIG = 1


def parent_bound_command(
    program: Sequence[str], *, parent_pid: int | None = None, mode: Mode | None = None
) -> list[str]:
    """Returns the command that runs `program` bound to this process.

    The starter gives it a pipe as standard input and keeps that open for as long as the program
    is to run. Open descriptors meant for the program pass through.

    Args:
        program: path and arguments.
        parent_pid: process to be bound to, which must be the one that starts the command.
        mode: how to notice the parent's death; the system's best way by default.
    """
    pid = os.getpid() if parent_pid is None else parent_pid
    best: Mode = "signal" if sys.platform == "linux" else "pipe"
    return [sys.executable, "-I", "-S", __file__, mode or best, str(pid), *program]


def _exec_with_death_signal(parent_pid: int, program: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have died before prctl; then no signal ever comes.
    if os.getppid() == parent_pid:
        os.execv(program[0], program)  # noqa: S606 - no shell is the point


def _watch_pipe(program: list[str]) -> int:
    child = subprocess.Popen(program, stdin=subprocess.DEVNULL, close_fds=False)

    def kill_at_end_of_input() -> None:
        while os.read(0, 4096):
            pass
        child.kill()

    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=kill_at_end_of_input, daemon=True).start()
    return child.wait()


def main() -> int:
    """Entry point: MODE PARENT_PID PROGRAM ARGUMENTS...; exits as the program does."""
    mode, parent_pid, *program = sys.argv[1:]
    if mode == "pipe":
        return _watch_pipe(program)
    _exec_with_death_signal(int(parent_pid), program)
    return 1


if __name__ == "__main__":
    sys.exit(main())
