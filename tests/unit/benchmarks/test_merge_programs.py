"""What the benchmark takes a merge program's end for."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from benchmarks.merge.programs import Program, git_merge_file, result, spent, written


def test_git_merges_lines_apart_and_its_conflict_is_no_result(tmp_path: Path) -> None:
    apart = written(tmp_path, "a: 1\nb: 1\nc: 1\n", "a: 2\nb: 1\nc: 1\n", "a: 1\nb: 1\nc: 2\n")
    assert result(git_merge_file(), apart) == "a: 2\nb: 1\nc: 2\n"
    touching = written(tmp_path, "a: 1\n", "a: 2\n", "a: 3\n")
    assert result(git_merge_file(), touching) is None


def test_markers_in_a_text_that_is_called_clean_are_a_conflict(tmp_path: Path) -> None:
    files = written(tmp_path, "a: 1\n", "a: 2\n", "a: 3\n")
    command = [sys.executable, "-c", "print('<<<<<<< ours')"]
    assert result(Program("liar", lambda _: command, 1), files) is None


def test_a_program_that_fails_is_an_error_and_no_conflict(tmp_path: Path) -> None:
    files = written(tmp_path, "a: 1\n", "a: 2\n", "a: 3\n")
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    with pytest.raises(CalledProcessError):
        result(Program("broken", lambda _: command, 1), files)
    with pytest.raises(CalledProcessError):
        spent(command, files, 1)


def test_the_time_of_a_program_is_its_own(tmp_path: Path) -> None:
    files = written(tmp_path, "", "", "")
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    asleep = "import time; time.sleep(0.2)"
    works, sleeps = (spent([sys.executable, "-c", each], files) for each in (busy, asleep))
    assert works.cpu_s >= 0.2
    assert sleeps.cpu_s < 0.2 <= sleeps.wall_s
