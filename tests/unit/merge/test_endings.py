"""Two sides add at the end of a file, and one or both leave out the last newline."""

from __future__ import annotations

from itertools import product

import pytest

from bps.merge.engine import merge
from bps.merge.parse import parse
from bps.merge.records import Contribution, Merged, Resolution
from bps.merge.source import Source

BASES = ("a: 1", "- 1", "k:\n- a\n")
BLOCKS = ("|\n   x", ">\n   x", "|-\n   x", "|+\n   x", "|\n   x\n", "|+\n   x\n\n")
OTHERS = ("2", "2\n", "|\n   y", "|\n   y\n", "|-\n   y")


def in_both_orders(base: str, one: str, other: str) -> list[Merged]:
    editors = [Contribution("one", base, one), Contribution("other", base, other)]
    return [merge(base, editors), merge(base, editors[::-1])]


def added(base: str, name: str, value: str) -> str:
    """The base with one more entry at its end."""
    end = base if base.endswith("\n") else f"{base}\n"
    return f"{end}- {value}" if "- " in base else f"{end}{name}: {value}"


def data_in_any_order(text: str) -> list[str]:
    """What each entry says; of `k`, each of its elements."""
    root = parse(Source("a result", text))[0].root
    assert root is not None
    inner = [child for each in root.children for child in (each, *each.children)]
    return sorted(repr(each.data) for each in inner if each.kind == "scalar")


@pytest.mark.parametrize(("base", "block", "value"), list(product(BASES, BLOCKS, OTHERS)))
def test_the_order_of_the_sides_decides_no_status(base: str, block: str, value: str) -> None:
    first, second = in_both_orders(base, added(base, "y", block), added(base, "z", value))
    assert [(each.path, each.kind) for each in first.conflicts] == [
        (each.path, each.kind) for each in second.conflicts
    ]
    if first.text is None or second.text is None:
        assert first.text is second.text is None
        return
    assert data_in_any_order(first.text) == data_in_any_order(second.text)


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("- 1", "- 1\n- |\n  x", "- 1\n- 2", "- 1\n- 2\n- |\n  x"),
        ("- 1\n", "- 1\n- |\n  x", "- 1\n- 2\n", "- 1\n- 2\n- |\n  x"),
        ("- 1\n", "- 1\n- |\n  x\n", "- 1\n- 2", "- 1\n- |\n  x\n- 2"),
        ("z: 1\n", "z: 1\nb: |+\n  x", "z: 1\nc: |\n  y\n", "z: 1\nc: |\n  y\nb: |+\n  x"),
    ],
)
def test_a_block_scalar_without_a_newline_stands_last(
    base: str, one: str, other: str, result: str
) -> None:
    assert [each.text for each in in_both_orders(base, one, other)] == [result, result]


def test_two_that_both_have_to_stand_last_are_in_conflict() -> None:
    base = "- 1\n"
    found = in_both_orders(base, f"{base}- |\n  x", f"{base}- |\n  y")
    assert [each.text for each in found] == [None, None]
    assert [side.branch for side in found[1].conflicts[0].sides] == ["other", "one"]


def test_a_text_that_came_to_stand_last_keeps_its_newline() -> None:
    """Though one side took the last newline of the file away, which is layout; this is data."""
    base = "a: 1\nb: 2\n"
    for each in in_both_orders(base, base.rstrip(), f"{base}c: |\n  x\n"):
        assert each.text == f"{base}c: |\n  x\n"
    base = "k:\n  x: 1\n  y: 2\ns: |\n  p\nt: |\n  q\n"
    one = "s: |\n  p\nt: |\n  q"
    other = "k:\n  x: 1\n  y: 2\n  t: |\n    q\ns: |\n  p\n"
    editors = [Contribution("one", base, one), Contribution("other", base, other)]
    asked = merge(base, editors).conflicts
    decided = merge(base, editors, resolutions={e.id: Resolution(take="other") for e in asked})
    assert decided.text == other
