"""`bps merge` on files: what it prints and what it writes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.docs.pages import DOCS
from tests.unit.cli.merge_desk import BASE, MARKED, MERGED, OTHER, A, B, Desk

_SCHEMA = json.loads((DOCS / "schemas" / "cli" / "merge.json").read_bytes())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_clean_merge_is_printed_and_exits_0(desk: Desk) -> None:
    ran = desk.both_ways("base", "a", "b")
    assert (ran.code, ran.out, ran.err) == (0, MERGED, "")


def test_a_conflict_is_marked_alone_and_exits_1(desk: Desk) -> None:
    desk.put("b", OTHER)
    ran = desk.both_ways("base", "a", "b")
    assert (ran.code, ran.out) == (1, MARKED)
    assert ran.err == "conflict: /owner: both_modified\n"


def test_what_a_merge_gives_notice_of_is_said_on_standard_error(desk: Desk) -> None:
    desk.put("base", "# why\na: 1\nb: 1\n")
    desk.put("a", "b: 1\n")
    desk.put("b", "# why\na: 1\nb: 2\n")
    ran = desk.both_ways("base", "a", "b")
    assert (ran.code, ran.out) == (0, "b: 2\n")
    assert ran.err.startswith("note: ")


def test_out_may_be_any_of_the_three_and_keeps_its_mode(desk: Desk) -> None:
    for name in ("base", "a", "b"):
        for each, text in (("base", BASE), ("a", A), ("b", B)):
            desk.put(each, text).chmod(0o640)
        ran = desk.quickly("base", "a", "b", "-o", name)
        assert (ran.code, ran.out, desk.read(name)) == (0, "", MERGED)
        assert stat.S_IMODE((desk.path / name).stat().st_mode) == 0o640
    assert {path.name for path in desk.files()} == {"base", "a", "b"}


def test_a_conflict_is_written_to_out_too(desk: Desk) -> None:
    desk.put("b", OTHER)
    ran = desk.both_ways("base", "a", "b", "--out=merged.yaml")
    assert (ran.code, ran.out, desk.read("merged.yaml")) == (1, "", MARKED)


def test_a_symbolic_link_as_out_is_followed(desk: Desk) -> None:
    (desk.path / "link").symlink_to("a")
    assert desk.quickly("base", "a", "b", "-o", "link").code == 0
    assert (desk.path / "link").is_symlink()
    assert desk.read("a") == MERGED


def test_out_can_be_a_pipe_or_the_standard_stream(desk: Desk) -> None:
    assert desk.both_ways("base", "a", "b", "-o", "-").out == MERGED
    assert desk.quickly("base", "a", "b", "-o", "/dev/stdout").out == MERGED


def test_one_version_may_come_from_standard_input(desk: Desk) -> None:
    for arguments, text in (
        (("-", "a", "b"), BASE),
        (("base", "-", "b"), A),
        (("base", "a", "-"), B),
    ):
        assert desk.both_ways(*arguments, stdin=text.encode()).out == MERGED


def test_versions_may_be_pipes(desk: Desk) -> None:
    os.mkfifo(desk.path / "pipe")
    writer = threading.Thread(target=(desk.path / "pipe").write_bytes, args=(A.encode(),))
    writer.start()
    assert desk.quickly("base", "pipe", "b").out == MERGED
    writer.join()


def test_json_has_the_published_form(desk: Desk) -> None:
    clean = json.loads(desk.both_ways("base", "a", "b", "--format", "json", "--explain").out)
    Draft202012Validator(_SCHEMA).validate(clean)
    assert (clean["status"], clean["text"], clean["marked"]) == ("clean", MERGED, None)
    assert {line["path"]: line["sources"] for line in clean["explain"]} == {
        "/owner": ["branch A"],
        "/replicas": ["branch A"],
        "/steps/1": ["branch B"],
    }
    desk.put("b", OTHER)
    ran = desk.both_ways("base", "a", "b", "--format=json")
    found = json.loads(ran.out)
    Draft202012Validator(_SCHEMA).validate(found)
    assert (ran.code, ran.err, found["text"], found["marked"]) == (1, "", None, MARKED)
    (conflict,) = found["conflicts"]
    assert (conflict["path"], conflict["kind"]) == ("/owner", "both_modified")
    assert conflict["base"] == {
        "present": True,
        "value": "ann",
        "text": "owner: ann\n",
        "span": [1, 1, 2, 1],
    }
    assert [(side["branch"], side["value"]) for side in conflict["sides"]] == [
        ("branch A", "eve"),
        ("branch B", "bob"),
    ]
    assert found["explain"] is None


def test_json_is_printed_also_where_the_text_goes_into_a_file(desk: Desk) -> None:
    desk.put("b", OTHER)
    ran = desk.both_ways("base", "a", "b", "--format", "json", "-o", "out")
    assert (ran.code, json.loads(ran.out)["marked"]) == (1, MARKED)
    assert desk.read("out") == MARKED


def test_numbers_that_json_readers_cannot_hold_stay_text(desk: Desk) -> None:
    for name, digit in (("base", "1"), ("a", "2"), ("b", "3")):
        desk.put(name, f"n: 0x{digit}FFFFFFFFFFFFFFFF\n")
    (conflict,) = json.loads(desk.quickly("base", "a", "b", "--format", "json").out)["conflicts"]
    assert conflict["base"]["value"] == "0x1FFFFFFFFFFFFFFFF"


def test_the_explanation_goes_beside_the_result(desk: Desk) -> None:
    table = (
        "PATH       CHANGE   FROM      BEFORE  AFTER\n"
        '/owner     changed  branch A  "ann"   "eve"\n'
        "/replicas  changed  branch A  2       3\n"
        '/steps/1   added    branch B  -       "test"\n'
    )
    beside = desk.both_ways("base", "a", "b", "--explain")
    assert (beside.out, beside.err) == (MERGED, table)
    alone = desk.both_ways("base", "a", "b", "--explain", "-o", "out")
    assert (alone.out, alone.err, desk.read("out")) == (table, "", MERGED)


def test_a_policy_decides_what_a_merge_would_not(desk: Desk) -> None:
    desk.put("base", "version: 1.0.0\n")
    desk.put("a", "version: 1.2.0\n")
    desk.put("b", "version: 1.10.0\n")
    assert desk.both_ways("base", "a", "b").code == 1
    desk.put("policy", 'strategies: {/version: "max: semver"}\n')
    ran = desk.both_ways("base", "a", "b", "--policy", "policy")
    assert (ran.code, ran.out) == (0, "version: 1.10.0\n")


def test_a_reader_that_went_away_changes_no_exit_code(desk: Desk) -> None:
    command = f"set -o pipefail; {sys.executable} -m bps.cli merge base a b | true"
    done = subprocess.run(("bash", "-c", command), cwd=desk.path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_that_cannot_be_printed_exits_75(desk: Desk) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            (sys.executable, "-m", "bps.cli", "merge", "base", "a", "b"),
            cwd=desk.path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 75
    assert b"[RESULT_NOT_SHOWN]" in done.stderr


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_without_room_exits_75(desk: Desk, form: str) -> None:
    ran = desk.quickly("base", "a", "b", "-o", "/dev/full", "--format", form)
    assert (ran.code, ran.out) == (75, "")
    assert "/dev/full cannot be written: No space left on device." in ran.err
    assert "RESULT_NOT_SHOWN" in ran.err
    assert "Make room there, then merge again." in ran.err


def test_messages_hold_no_control_characters(desk: Desk) -> None:
    desk.put("base", '"k\\e[31m": 1\n')
    desk.put("a", '"k\\e[31m": 2\n')
    desk.put("b", '"k\\e[31m": 3\n')
    ran = desk.quickly("base", "a", "b", "--explain")
    assert ran.code == 1
    assert "\x1b" not in ran.err


def imported(desk: Desk, *arguments: str) -> set[str]:
    """All modules of a process that merged."""
    program = (
        "import sys, os\n"
        "def _exit(code):\n    print(*sys.modules, file=sys.stderr, flush=True)\n"
        "    raise SystemExit(code)\n"
        "os._exit = _exit\n"
        "sys.argv = ['bps', 'merge', '-o', 'merged', *sys.argv[1:]]\n"
        "from bps.cli.main import main\nmain()\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", program, *arguments),
        cwd=desk.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_a_merge_imports_nothing_that_it_does_not_use(desk: Desk) -> None:
    modules = imported(desk, "base", "a", "b")
    assert "bps.merge.engine" in modules
    unused = {"typer", "click", "pydantic", "json", "orjson", "dataclasses", "inspect", "pathlib"}
    unused |= {"asyncio", "signal", "hashlib", "datetime", "deepdiff", "bps.core", "bps.cli.app"}
    unused |= {"typing", "contextlib", "traceback", "bps.merge.extremes", "bps.cli.merge_refusal"}
    assert not modules & unused
    # Only where several edited a list without keys.
    assert {"bps.merge.ordered", "bps.merge.hunks", "bps.merge.lcs"} <= modules
    desk.put("b", f"{BASE}port: 1\n")
    for arguments in (("base", "a", "b"), ("--", "base", "a", "b", "dir/x.yaml")):
        modules = imported(desk, *arguments)
        assert desk.read("merged") == f"{A}port: 1\n"
        assert not modules & unused
        assert not modules & {"bps.merge.ordered", "bps.merge.lcs", "bps.merge.lines"}
