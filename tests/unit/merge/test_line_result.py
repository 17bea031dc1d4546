"""Comments that a merge of entries would leave beside two of them stand where lines have them."""

from __future__ import annotations

from itertools import permutations

import pytest

from bps.merge import line_result
from bps.merge.engine import merge
from bps.merge.line_result import merged_by_lines
from bps.merge.reader import SMALLEST
from bps.merge.records import Contribution, Merged

_BASE = "a: 1\n\n# p: 1\n# q: 1\n# r: 1\n\nz: 1\n"
_P = _BASE.replace("# p", "p")
_Q = _BASE.replace("# q", "q")
_R = _BASE.replace("# r", "r")


def merged(base: str, *sides: str, canonical: str | None = None) -> Merged:
    made = [Contribution(f"s{index}", base, side) for index, side in enumerate(sides)]
    return merge(base if canonical is None else canonical, made)


@pytest.mark.parametrize("sides", [*permutations((_P, _Q, _R))])
def test_entries_that_sides_made_of_lines_of_one_comment_leave_none_of_it(
    sides: tuple[str, ...],
) -> None:
    result = merged(_BASE, *sides)
    assert (result.text, result.notices) == ("a: 1\n\np: 1\nq: 1\nr: 1\n\nz: 1\n", ())
    two = merged(_BASE, *sides[:2])
    assert (two.text, two.notices) == (merged_by_lines(_BASE, sides[:2]), ())


def test_canonical_is_a_side_of_its_own() -> None:
    result = merged(_BASE, _P, canonical=_R)
    assert (result.text, result.notices) == ("a: 1\n\np: 1\n# q: 1\nr: 1\n\nz: 1\n", ())


def test_ends_of_lines_and_of_the_text_are_those_of_the_merge() -> None:
    base, one, other = (each.replace("\n", "\r\n").rstrip() for each in (_BASE, _P, _Q))
    assert merged(base, one, other).text == "a: 1\r\n\r\np: 1\r\nq: 1\r\n# r: 1\r\n\r\nz: 1"


def test_a_comment_that_both_take_away_and_each_puts_elsewhere_is_told() -> None:
    tasks = [f"- id: task_{n}\n  x: 1\n  y: 1\n" for n in range(40)]
    noted = [task.replace("  y", "  # why\n  y") for task in tasks]
    assert len("".join(tasks)) > SMALLEST
    base = "".join([noted[0], *tasks[1:]])
    one = "".join([tasks[0], noted[1], *tasks[2:]])
    other = "".join([*tasks[:2], noted[2], *tasks[3:]])
    result = merged(base, one, other)
    assert result.text == "".join([tasks[0], *noted[1:3], *tasks[3:]])
    assert [each.message for each in result.notices] == [
        "the comment '# why' stands twice, or came back"
    ]


@pytest.mark.parametrize(
    "other", ["a: 1\n\np: 1\nq: 2\n# r: 1\n\nz: 1\n", "p: 1\nz: 1\n", "a: [\n", None]
)
def test_lines_that_read_otherwise_are_not_taken(
    monkeypatch: pytest.MonkeyPatch, other: str | None
) -> None:
    monkeypatch.setattr(line_result, "merged_by_lines", lambda *_: other)
    result = merged(_BASE, _P, _Q)
    assert (result.text or "").count("# p: 1\n") == 1
    assert any("'# p: 1' stands twice" in notice.message for notice in result.notices)


@pytest.mark.parametrize(
    ("sides", "made"),
    [
        (("A\nb\nc\n", "a\nb\nC\n"), "A\nb\nC\n"),
        (("A\nB\nc\n", "a\nb\nC\n"), "A\nB\nC\n"),
        (("A\nb\nc\n", "A\nB\nc\n"), "A\nB\nc\n"),
        (("A\nb\nc\n", "X\nb\nc\n"), None),
        (("A\nx\nb\nc\n", "a\nB\nc\n"), None),
        (("a\nB\nc\n", "b\nc\n"), None),
    ],
)
def test_each_line_has_one_editor_at_most(sides: tuple[str, str], made: str | None) -> None:
    assert merged_by_lines("a\nb\nc\n", sides) == made
    assert merged_by_lines("a\nb\nc\n", sides[::-1]) == made
