"""How `bps merge` marks conflicts: length of markers, and what they call the versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.cli.merge_driver import drive
from bps.cli.merge_lines import by_lines
from bps.cli.merge_request import MergeRequest, parse_arguments
from bps.merge.markers import Markers
from tests.unit.cli.merge_desk import MARKED, OTHER, Desk

LABELS = ("--base-label", "v1", "--a-label", "HEAD", "--b-label", "their work")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.put("b", OTHER)
    return desk


def renamed(text: str) -> str:
    for old, new in (("branch A", "HEAD"), ("canonical", "v1"), ("branch B", "their work")):
        text = text.replace(old, new)
    return text


def test_markers_are_as_long_as_asked(desk: Desk) -> None:
    for size in (1, 9, 300):
        ran = desk.both_ways("--marker-size", str(size), "base", "a", "b")
        expected = MARKED
        for sign in "<|=>":
            expected = expected.replace(sign * 7, sign * size)
        assert (ran.code, ran.out) == (1, expected)


def test_labels_stand_in_the_markers(desk: Desk) -> None:
    assert desk.both_ways(*LABELS, "base", "a", "b").out == renamed(MARKED)


def test_labels_are_no_part_of_records_and_may_be_equal(desk: Desk) -> None:
    same = ("--base-label", "x", "--a-label", "x", "--b-label", "x")
    ran = desk.both_ways(*same, "--explain", "base", "a", "b")
    assert (
        "<<<<<<< x\nowner: eve\n||||||| x\nowner: ann\n=======\nowner: bob\n>>>>>>> x\n" in ran.out
    )
    assert "branch A" in ran.err


def test_a_label_is_on_one_line_and_an_empty_or_unfilled_one_is_none(desk: Desk) -> None:
    ran = desk.both_ways("--a-label", "a\nb\x1b[31m", "base", "a", "b")
    assert ran.out == MARKED.replace("branch A", "a\\nb\\x1b[31m")
    none = ("--base-label", "%S", "--a-label", "%X", "--b-label", "%Y")
    assert desk.both_ways(*none, "base", "a", "b").out == MARKED
    assert (
        desk.both_ways("--base-label=", "--a-label=", "--b-label=", "base", "a", "b").out == MARKED
    )


def test_a_conflict_over_the_whole_text_is_marked_so_too(desk: Desk) -> None:
    desk.put("base", "a: 1\n")
    desk.put("a", "- 1\n")
    desk.put("b", "text\n")
    out = desk.both_ways("--marker-size=9", *LABELS, "base", "a", "b").out
    assert out == (
        "<<<<<<<<< HEAD\n- 1\n||||||||| v1\na: 1\n=========\ntext\n>>>>>>>>> their work\n"
    )


def test_lines_are_marked_as_nodes_are(desk: Desk) -> None:
    for name, text in (("base", "[x\n"), ("a", "[y\n"), ("b", "[z\n")):
        desk.put(name, text)
    request = parse_arguments(
        [
            "--marker-size",
            "8",
            *LABELS,
            *(str(desk.path / name) for name in ("base", "a", "b")),
            "p",
        ]
    )
    assert isinstance(request, MergeRequest)
    assert drive(request, "p") == 1
    assert desk.read("a") == (
        "<<<<<<<< HEAD\n[y\n|||||||| v1\n[x\n========\n[z\n>>>>>>>> their work\n"
    )
    crlf, _ = by_lines(b"x\r\n", b"y\r\n", b"z\r\n", markers=Markers(2))
    assert crlf == b"<< branch A\r\ny\r\n|| canonical\r\nx\r\n==\r\nz\r\n>> branch B\r\n"
