"""Tests prove the checkout that they lie in, whatever is installed in their environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bps
from tests.checkout import ROOT, VARIABLE, python_path


def test_tests_and_the_programs_that_they_start_take_this_checkout(tmp_path: Path) -> None:
    program = "import bps, tests.checkout as t; print(bps.__file__, t.__file__, sep='\\n')"
    command = (sys.executable, "-P", "-c", program)
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    for file in (bps.__file__, *told.stdout.splitlines()):
        assert Path(file).is_relative_to(ROOT)


def test_in_the_background_of_a_shell_ctrl_c_is_heard_again() -> None:
    heard = "import signal; print(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {heard!r}])"
    for asked, expected in (("pass", "False"), ("tests.checkout.take_interrupts()", "True")):
        program = f"import tests.checkout; {asked}; {child}"
        told = subprocess.run(
            ("sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", program),
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.strip() == expected


def test_what_a_test_lays_out_comes_first_and_nothing_comes_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, os.pathsep.join(("", "/elsewhere", str(ROOT))))
    assert python_path(tmp_path).split(os.pathsep) == [str(tmp_path), str(ROOT), "/elsewhere"]
    monkeypatch.delenv(VARIABLE)
    assert python_path() == str(ROOT)
