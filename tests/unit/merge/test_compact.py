"""What is stored of an explanation: within its bound, and it says what it lacks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.merge.compact import MAX_ROWS_BYTES, VALUE_CHARS, Row, compact
from bps.merge.explain import Line

A = ("A",)

values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=5) | st.text(max_size=5_000),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
any_lines = st.lists(
    st.builds(
        Line,
        st.text(max_size=400),
        st.sampled_from(["added", "changed", "deleted", "merged", "rewritten", "resolved"]),
        st.lists(st.text(max_size=90), max_size=24).map(tuple),
        values,
        values,
    ),
    max_size=12,
)


def row_of(line: Line) -> Row:
    (row,) = compact([line]).rows
    return row


@pytest.mark.parametrize(
    ("line", "before", "after", "cut"),
    [
        (Line("/a", "changed", A, 1, 1.5), "1", "1.5", ()),
        (Line("/a", "changed", A, None, "x"), "null", '"x"', ()),
        (Line("/a", "added", A, None, None), None, "null", ()),
        (Line("/a", "deleted", A, [], None), "[]", None, ()),
        (Line("/a", "rewritten", A, None, None), None, None, ()),
        (Line("/a", "resolved", A, None, None), "null", "null", ()),
        (Line("/a", "resolved", A, None, None, ("after",)), "null", None, ()),
        (Line("/a", "merged", A, "\u00e9", {"b": True}), '"\u00e9"', '{"b": true}', ()),
        (Line("/a", "changed", A, "x" * 118, 0), f'"{"x" * 118}"', "0", ()),
        (Line("/a", "changed", A, "x" * 119, 0), f'"{"x" * 119}', "0", ("before",)),
        (Line("/a", "changed", A, 0, "x" * 500), "0", f'"{"x" * 119}', ("after",)),
    ],
)
def test_values_are_json_and_what_is_not_whole_is_named(
    line: Line, before: str | None, after: str | None, cut: tuple[str, ...]
) -> None:
    assert row_of(line) == Row("/a", line.change, A, before, after, cut)


def test_a_path_that_fits_goes_before_values() -> None:
    lines = [Line(f"/{i:03}", "changed", A, "x" * 100, "y" * 100) for i in range(300)]
    found = compact(lines)
    assert (len(found.rows), found.left_out) == (300, 0)
    whole = [row.cut == () for row in found.rows]
    assert sorted(whole, reverse=True) == whole
    assert 0 < sum(whole) < 300
    assert found.rows[-1] == Row("/299", "changed", A, None, None, ("before", "after"))


def test_what_has_no_line_is_counted() -> None:
    lines = [Line(f"/{i:04}", "deleted", A, i, None) for i in range(2_000)]
    found = compact(lines)
    assert 300 < len(found.rows) < 600
    assert len(found.rows) + found.left_out == 2_000
    assert found.rows[0].path == "/0000"


def test_one_line_that_is_too_long_keeps_no_other_out() -> None:
    found = compact(
        [Line("/" + "x" * 40_000, "added", A, None, 1), Line("/b", "added", A, None, 1)]
    )
    assert ([row.path for row in found.rows], found.left_out) == (["/b"], 1)


@given(lines=any_lines, times=st.sampled_from([1, 40]))
def test_rows_keep_their_bound_and_every_line_has_one_or_is_counted(
    lines: list[Line], times: int
) -> None:
    every = lines * times
    found = compact(every)
    shown = [row._asdict() for row in found.rows]
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode("utf-8", "surrogatepass")) <= MAX_ROWS_BYTES + 1
    assert len(found.rows) + found.left_out == len(every)
    rest = iter(every)
    for row in found.rows:
        line = next(each for each in rest if each[:3] == row[:3])
        for name in ("before", "after"):
            check_value(getattr(row, name), getattr(line, name), whole=name not in row.cut)


def check_value(stored: str | None, value: Any, *, whole: bool) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if stored is None:
        return
    assert stored == (text if whole else text[:VALUE_CHARS])
    assert whole == (len(text) <= VALUE_CHARS)
