"""Printed data: the same in every form, nothing cut, nothing that a terminal obeys."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
import typer
from pydantic import BaseModel
from ruamel.yaml import YAML

from bps.api.views import Change
from bps.cli.output import Format, cell, show, show_plain, show_stream
from bps.cli.session import command, report
from bps.core.errors import MergeConflict, NotLeader
from tests.asynchronous import run
from tests.unit.cli.invoke import invoke

TRICKY = [
    "yes", "no", "on", "null", "~", "", " ", "012", "0o17", "1e3", "1:30", "1_000", ".inf", "=",
    "2026-11-21", "- x", "a: b", "# x", "'", '"', "{", "[", "&a", "*a", "!t", "%d", "@", "`", "\n",
    "a\nb\n", " a", "a ", "\t", "\x1b[31m", "\x00", "\x85", "\u2028", "é", "日本", "😀",
    "x" * 5_000,
]  # fmt: skip


class Tricky(BaseModel):
    NAME: ClassVar[str] = "tricky"

    text: str
    texts: list[str]
    number: int
    flag: bool
    nothing: None
    nested: dict[str, Any]


def tricky() -> Tricky:
    return Tricky(
        text="yes",
        texts=TRICKY,
        number=10**18,
        flag=True,
        nothing=None,
        nested={text: {text: [text]} for text in TRICKY},
    )


def test_json_and_yaml_hold_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    for data in (tricky(), [tricky(), tricky()], []):
        show(data, Format.JSON)
        as_json = json.loads(capsys.readouterr().out)
        show(data, Format.YAML)
        text = capsys.readouterr().out
        assert YAML(typ="safe", pure=True).load(text) == as_json
        assert "\x1b" not in text
        plain = data.model_dump() if isinstance(data, BaseModel) else [d.model_dump() for d in data]
        assert as_json == plain


def test_a_table_is_one_line_a_row_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show([tricky(), tricky()], Format.TABLE, ("text", "texts", "nothing", "flag"))
    out = capsys.readouterr().out
    header, *rows = out.splitlines()
    assert header.split() == ["TEXT", "TEXTS", "NOTHING", "FLAG"]
    assert len(rows) == 2
    assert all("x" * 5_000 in row and row.endswith("-        yes") for row in rows)
    assert out.replace("\n", "").isprintable()
    show([], Format.TABLE, ("text",))
    assert capsys.readouterr().out == "TEXT\n"


@pytest.mark.parametrize("text", TRICKY, ids=ascii)
def test_a_cell_is_printable(text: str) -> None:
    assert cell(text).isprintable()
    assert cell([{text: None}]) == f"{cell(text)}=-"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False), ("0", False)])
def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("NO_COLOR", no_color)
    show([tricky()], Format.TABLE, ("number",))
    show(tricky(), Format.TABLE)
    assert ("\x1b[" in terminal.getvalue()) is coloured


def test_explain_tells_one_code_or_all() -> None:
    one = invoke("explain", "merge_conflict")
    assert (one.code, one.err) == (0, "")
    assert one.out.startswith("code          MERGE_CONFLICT\n")
    rows = json.loads(invoke("explain", "-o", "json").out)
    assert len({row["code"] for row in rows}) == len(rows) > 30
    assert all(row["next_action"] and row["exit_code"] in {1, 2, 3, 70, 75} for row in rows)
    unknown = invoke("explain", "NO_SUCH")
    assert (unknown.code, unknown.out) == (2, "")
    assert "[INVALID_INPUT]" in unknown.err


def test_usage_errors_exit_2() -> None:
    for arguments in (
        ("frobnicate",),
        ("plan",),
        ("plan", "show"),
        ("plan", "show", "EP-1", "surplus"),
        ("plan", "show", "EP-1", "--frobnicate"),
        ("plan", "show", "EP-1", "-o", "xml"),
        ("branch", "fail", "EP-1", "1a2b3c4d"),
        ("revert", "EP-1"),
    ):
        ran = invoke(*arguments)
        assert ran.code == 2, arguments
        assert "Traceback" not in ran.err
        assert "Usage: bps" in ran.err + ran.out


class Row(BaseModel):
    n: int


@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 1_001, 2_000])
@pytest.mark.parametrize("form", [Format.JSON, Format.YAML])
def test_a_stream_is_one_list(capsys: pytest.CaptureFixture[str], form: Format, count: int) -> None:
    async def rows() -> AsyncIterator[Row]:
        for n in range(count):
            yield Row(n=n)

    run(show_stream(rows(), form, ("n",)))
    printed = capsys.readouterr().out
    loaded = json.loads(printed) if form is Format.JSON else YAML(typ="safe").load(printed)
    assert loaded == [{"n": n} for n in range(count)]


def test_a_terminal_obeys_nothing_in_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotLeader("\x1b[2Jevil\u202e\nleads."), as_json=False)
    err = capsys.readouterr().err
    assert err.startswith("error: \\x1b[2Jevil\\u202e\nleads. [NOT_LEADER]\n")
    assert all(c.isprintable() or c == "\n" for c in err)


@pytest.mark.parametrize(
    ("number", "code", "exit_code"),
    [
        (errno.ENOSPC, "STORE_UNAVAILABLE", 75),
        (errno.EIO, "STORE_UNAVAILABLE", 75),
        (errno.EACCES, "CONFIG_ERROR", 2),
    ],
)
def test_a_failure_of_the_system_names_the_file(
    capsys: pytest.CaptureFixture[str], number: int, code: str, exit_code: int
) -> None:
    @command
    async def fails() -> None:
        raise OSError(number, os.strerror(number), "/var/etcd.log")

    with pytest.raises(typer.Exit) as ended:
        fails()
    assert ended.value.exit_code == exit_code
    err = capsys.readouterr().err
    assert f"'/var/etcd.log': {os.strerror(number)}. [{code}]" in err


@pytest.mark.parametrize("text", TRICKY, ids=ascii)
def test_yaml_text_is_text_to_readers_of_both_versions(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    show(Tricky.model_validate({**tricky().model_dump(), "text": text}), Format.YAML)
    printed = capsys.readouterr().out
    for version in ((1, 1), (1, 2)):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = version
        assert yaml.load(printed)["text"] == text


def test_instants_are_dates_in_tables_only(capsys: pytest.CaptureFixture[str]) -> None:
    show_plain({"published_ms": 0}, Format.TABLE)
    assert capsys.readouterr().out == "published_at  1970-01-01T00:00:00.000Z\n"
    show_plain({"published_ms": 0}, Format.JSON)
    assert json.loads(capsys.readouterr().out) == {"published_ms": 0}


def test_a_difference_shows_types() -> None:
    change = Change(path="/t", kind="changed", before="yes", after=True)
    assert change.row() == {"path": "/t", "kind": "changed", "before": '"yes"', "after": "true"}
    added = Change(path="/t", kind="added", after=None)
    assert (added.row()["before"], added.row()["after"]) == ("-", "null")


def test_an_exit_code_is_explained_too() -> None:
    ran = invoke("explain", "75", "-o", "json")
    codes = [row["code"] for row in json.loads(ran.out)]
    assert {"QUORUM_LOST", "NOT_LEADER"} <= set(codes)
    assert "MERGE_CONFLICT" not in codes
    assert json.loads(invoke("explain", "merge-conflict", "-o", "json").out)[0]["exit_code"] == 1


def test_the_version_is_told() -> None:
    assert invoke("--version").out.startswith("bps ")


def test_a_fact_with_several_names_is_told_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    report(
        MergeConflict("They wait.", rr_plans=["EP-1-RR(br1)-1", "EP-1-RR(br2)-1"]), as_json=False
    )
    assert "  rr_plans: EP-1-RR(br1)-1, EP-1-RR(br2)-1\n" in capsys.readouterr().err
