"""Streams that are closed or full, and Ctrl-C: the exit code of the page, never a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.interface import await_condition
from tests.integration.cli.console import environment
from tests.unit.cli.invoke import NOWHERE

BPS = str(Path(sys.executable).with_name("bps"))
DEADLINE_S = 20.0


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ("explain MERGE_CONFLICT >&-", 0),
        ("explain MERGE_CONFLICT 2>&-", 0),
        ("explain MERGE_CONFLICT >&- 2>&- <&-", 0),
        ("explain MERGE_CONFLICT >/dev/full", 75),
        ("explain -o json >/dev/full 2>/dev/full", 75),
        ("--help >&- 2>&-", 0),
        ("--help >/dev/full", 75),
        ("explain NONE 2>/dev/full", 2),
        ("explain NONE 2>&-", 2),
        ("frobnicate 2>/dev/full", 2),
        ("frobnicate >&- 2>&- <&-", 2),
        ("plan register EP-1 - <&- 2>/dev/full", 2),
    ],
)
def test_closed_and_full_streams(arguments: str, exit_code: int) -> None:
    done = subprocess.run(
        ("bash", "-c", f"{BPS} {arguments}"),
        env=environment([NOWHERE]),
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == exit_code, done
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


def test_ctrl_c_ends_a_command_that_reads_the_terminal() -> None:
    with subprocess.Popen(
        (BPS, "plan", "register", "EP-1", "-"),
        env=environment([NOWHERE]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        # System call 0 is `read`, of file 0; 63 on arm64.
        call = Path(f"/proc/{process.pid}/syscall")
        await_condition(
            lambda: call.read_text().startswith(("0 0x0 ", "63 0x0 ")), DEADLINE_S, "no read"
        )
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_log_lines_for_operators_stay_off_the_terminal() -> None:
    program = """
import logging, sys
from bps.cli.main import main
sys.argv = ["bps", "explain", "MERGE_CONFLICT"]
try:
    main()
finally:
    logging.getLogger("bps.store.etcd.watch").warning("interrupted")
"""
    done = subprocess.run(
        (sys.executable, "-c", program),
        env=environment([NOWHERE]),
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
