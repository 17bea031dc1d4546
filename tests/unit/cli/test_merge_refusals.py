"""What `bps merge` refuses, by name and without writing anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bps.cli import merge_files
from tests.unit.cli.invoke import invoke
from tests.unit.cli.merge_desk import A, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_files_that_cannot_be_read_are_refused_by_name(desk: Desk) -> None:
    (desk.path / "directory").mkdir()
    assert "gone cannot be read: No such file" in desk.refused("base", "gone", "b", field="a")
    assert "Is a directory" in desk.refused("directory", "a", "b", field="base")
    assert "is not the name of a file" in invoke("merge", "x\0y", "a", "b").err
    assert "only one" in desk.refused("-", "-", "b", field="versions", stdin=b"a: 1\n")
    assert (
        "Standard input is closed"
        in desk.quickly("base", "-", "b", preexec_fn=lambda: os.close(0)).err
    )


def test_one_pipe_is_only_one_of_the_files(desk: Desk) -> None:
    """Its second reader would find nothing, and that side would have deleted everything."""
    for names in (
        ("/dev/stdin", "/dev/stdin", "b"),
        ("-", "a", "/dev/stdin"),
        ("-", "-", "b"),
        ("-", "a", "b", "--policy", "-"),
    ):
        ran = desk.quickly(*names, stdin=b"a: 1\n")
        assert (ran.code, ran.out) == (2, "")
        assert "can be only one of the files." in ran.err
    assert desk.quickly("/dev/null", "/dev/null", "a").code == 0


def test_a_form_is_not_taken_for_a_new_file(desk: Desk) -> None:
    """`-o json` is the form of all other commands' output."""
    told = desk.refused("base", "a", "b", "-o", "json", field="out")
    assert "there is none called json" in told
    assert "--format json" in desk.quickly("base", "a", "b", "-o", "json").err
    assert not (desk.path / "json").exists()
    assert desk.both_ways("base", "a", "b", "-o", "./json").code == 0
    assert desk.both_ways("base", "a", "b", "-o", "json").code == 0


def test_text_that_is_no_yaml_is_refused_by_file_line_and_column(desk: Desk) -> None:
    desk.put("broken", "a: 1\nb: {\n")
    for field, arguments in (
        ("base", ("broken", "a", "b")),
        ("a", ("base", "broken", "b")),
        ("b", ("base", "a", "broken")),
    ):
        assert desk.refused(*arguments, field=field).startswith("broken:3:1: not YAML: ")
    # Equal bytes need no merge, and are read all the same.
    assert desk.refused("broken", "broken", "broken", field="b").startswith("broken:3:1: ")


def test_bytes_that_are_not_utf_8_are_refused_by_file_line_and_column(desk: Desk) -> None:
    desk.put("latin", b"a: 1\nb: \xc3\xa4 \xe4\n")
    assert desk.refused("base", "latin", "b", field="a") == "latin:2:6: byte 0xE4 is not UTF-8"


def test_what_yaml_versions_read_differently_is_refused(desk: Desk) -> None:
    desk.put("odd", "a: 1\rb: 2\n")
    assert "odd:1:5: the line break U+000D" in desk.refused("base", "odd", "b", field="a")


def test_a_policy_that_is_wrong_is_refused_before_anything_is_merged(desk: Desk) -> None:
    desk.put("policy", "strategies: {/owner: newest}\n")
    told = desk.refused("base", "a", "b", "--policy", "policy", "-o", "a", field="/owner")
    assert "policy: The merge strategy at '/owner': there is no strategy 'newest'" in told
    desk.put("policy", "strategies: [\n")
    assert "policy" in desk.refused("base", "a", "b", "--policy", "policy", field="policy")
    desk.put("policy", b"\xff")
    assert "not UTF-8" in desk.refused("base", "a", "b", "--policy", "policy", field="policy")
    assert "gone" in desk.refused("base", "a", "b", "--policy", "gone", field="policy")


def test_an_out_that_cannot_be_written_is_refused(desk: Desk) -> None:
    (desk.path / "directory").mkdir()
    assert "Is a directory" in desk.refused("base", "a", "b", "-o", "directory", field="out")
    assert "No such file" in desk.refused("base", "a", "b", "-o", "no/where", field="out")
    assert list((desk.path / "directory").iterdir()) == []


def test_a_version_that_is_too_large_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_files, "MAX_BYTES", len(A))
    assert merge_files.read_version(str(desk.path / "a"), "a") == A.encode()
    monkeypatch.setattr(merge_files, "MAX_BYTES", len(A) - 1)
    with pytest.raises(merge_files.Refused, match="has more than"):
        merge_files.read_version(str(desk.path / "a"), "a")


def test_a_failed_write_leaves_the_file_and_nothing_beside_it(desk: Desk) -> None:
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "sys.argv = ['bps', 'merge', 'base', 'a', 'b', '-o', 'a']\n"
        "from bps.cli.main import main\nmain()\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), cwd=desk.path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, desk.read("a")) == (75, A), done.stderr
    assert "a cannot be written: File too large. [RESULT_NOT_SHOWN]" in done.stderr
    assert {path.name for path in desk.files()} == {"base", "a", "b"}


def test_what_to_do_next_is_said_of_files(desk: Desk) -> None:
    gone = desk.quickly("base", "gone", "b").err
    assert "next: Name a file that can be read, or - for standard input.\n" in gone
    nowhere = desk.quickly("base", "a", "b", "-o", "no/such/directory/out").err
    assert "next: Name a file in a directory that is there and takes new files.\n" in nowhere


@pytest.mark.parametrize("declared", ["/nowhere: set", "/replicas: set", "/steps: 'max: int'"])
def test_a_strategy_that_meets_nothing_of_its_kind_is_as_if_it_were_not_there(
    desk: Desk, declared: str
) -> None:
    desk.put("policy", f"strategies:\n  {declared}\n")
    assert desk.quickly("base", "a", "b", "--policy", "policy") == desk.quickly("base", "a", "b")
