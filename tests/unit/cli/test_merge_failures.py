"""`bps merge` where something fails that is no conflict: no exit code or file looks like one."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bps.cli.merge_request import EXIT_INTERNAL, EXIT_NOT_DONE
from bps.core.error_catalogue import explain
from bps.core.errors import InternalError
from tests.unit.cli.merge_desk import MERGED, OTHER, A, Desk

_CRASHING = """
import sys
from bps.cli import merge_run
def broken(*_, **__):
    raise KeyError("a mistake")
{place} = broken
sys.argv = ["bps", "merge", *sys.argv[1:]]
from bps.cli.main import main
main()
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def crashing(desk: Desk, place: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-c", _CRASHING.format(place=place), *arguments),
        cwd=desk.path,
        capture_output=True,
        text=True,
        check=False,
    )


def shell(desk: Desk, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ("bash", "-c", f"exec {sys.executable} -m bps.cli merge base a b {line}"),
        cwd=desk.path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_mistake_of_the_engine_is_named_and_writes_nothing(desk: Desk) -> None:
    done = crashing(desk, "merge_run.merge", "base", "a", "b", "-o", "a")
    assert (done.returncode, done.stdout, desk.read("a")) == (EXIT_INTERNAL, "", A)
    assert "KeyError: 'a mistake'. Nothing was written. [INTERNAL_ERROR]\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert explain(InternalError).exit_code == EXIT_INTERNAL


def test_a_mistake_is_told_as_json_where_asked(desk: Desk) -> None:
    done = crashing(desk, "merge_run.merge", "base", "a", "b", "--format", "json")
    assert done.returncode == EXIT_INTERNAL
    assert '"code": "INTERNAL_ERROR"' in done.stderr
    assert '"exception": "KeyError"' in done.stderr


def test_a_mistake_in_explaining_writes_nothing_either(desk: Desk) -> None:
    place = "from bps.cli import merge_report; merge_report.as_table"
    done = crashing(desk, place, "base", "a", "b", "--explain", "-o", "a")
    assert (done.returncode, desk.read("a")) == (EXIT_INTERNAL, A)


def test_for_git_a_mistake_beside_the_merge_stops_it(desk: Desk) -> None:
    done = crashing(desk, "merge_run.told", "--", "base", "a", "b", "x.yaml")
    assert (done.returncode, desk.read("a")) == (EXIT_NOT_DONE, A)
    assert "[INTERNAL_ERROR]" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("base", "a", "b"), EXIT_INTERNAL), (("--", "base", "a", "b", "p"), EXIT_NOT_DONE)],
)
def test_an_installation_that_is_not_whole_is_no_conflict(
    desk: Desk, arguments: tuple[str, ...], code: int
) -> None:
    program = (
        "import sys\nsys.modules['bps.merge.engine'] = None\n"
        "sys.argv = ['bps', 'merge', *sys.argv[1:]]\n"
        "from bps.cli.main import main\nmain()\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", program, *arguments), cwd=desk.path, capture_output=True, check=False
    )
    assert (done.returncode, desk.read("a")) == (code, A)
    assert b"bps.merge.engine" in done.stderr


def test_a_closed_standard_output_is_told(desk: Desk) -> None:
    for line in (">&-", "-o - >&-", "-o /dev/stdout >&-", "--format json >&-"):
        done = shell(desk, line)
        assert done.returncode == 75, line
        assert "[RESULT_NOT_SHOWN]" in done.stderr


def test_with_out_a_closed_standard_output_is_not_needed(desk: Desk) -> None:
    assert shell(desk, "-o out >&-").returncode == 0
    assert desk.read("out") == MERGED
    assert shell(desk, "-o out --explain >&-").returncode == 75


def test_a_closed_or_full_standard_error_changes_no_exit_code(desk: Desk) -> None:
    for line in ("2>&-", "2>/dev/full", "<&- 2>&-"):
        done = shell(desk, line)
        assert (done.returncode, done.stdout) == (0, MERGED), line
    desk.put("b", OTHER)
    assert shell(desk, "-o out 2>&-").returncode == 1
    assert "owner: bob" in desk.read("out")
    assert shell(desk, ">&- 2>&- <&-").returncode == 75


def test_standard_output_by_its_path_is_appended_to(desk: Desk) -> None:
    desk.put("log", "before\n")
    assert shell(desk, "-o /dev/stdout >> log").returncode == 0
    assert desk.read("log") == f"before\n{MERGED}"


def test_an_out_that_is_not_there_is_made_as_the_umask_says(desk: Desk) -> None:
    (desk.path / "link").symlink_to("new")
    assert desk.quickly("base", "a", "b", "-o", "link", umask=0o027).code == 0
    assert (desk.path / "link").is_symlink()
    assert stat.S_IMODE((desk.path / "new").stat().st_mode) == 0o640
    assert desk.read("new") == MERGED


def test_a_link_that_leads_nowhere_or_in_a_circle_is_refused(desk: Desk) -> None:
    (desk.path / "circle").symlink_to("circle")
    (desk.path / "nowhere").symlink_to("no/such/file")
    for name in ("circle", "nowhere"):
        assert "cannot be written" in desk.quickly("base", "a", "b", "-o", name).err
        assert desk.quickly("base", "a", "b", "-o", name).code == 2
    assert {each.name for each in desk.path.iterdir()} == {"base", "a", "b", "circle", "nowhere"}


def test_a_directory_that_takes_no_file_is_refused(desk: Desk) -> None:
    # Root too can make no file there.
    ran = desk.quickly("base", "a", "b", "-o", "/proc/out")
    assert (ran.code, ran.out) == (2, "")
    assert "/proc/out cannot be written: " in ran.err
