"""Ordered lists in which an element stands more than once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.merge.engine import merge
from bps.merge.records import Contribution

ELEMENTS = {"a": "a", "b": "{run: b}", "c": "[c, c]"}


def listed(items: str) -> str:
    """A letter an element; some of them are mappings and lists."""
    return "l:\n" + "".join(f"- {ELEMENTS.get(item, item)}\n" for item in items)


def merged(base: str, one: str, other: str) -> str | None:
    """The result, which is the same in both orders."""
    sides = [
        Contribution(label, listed(base), listed(text))
        for label, text in (("A", one), ("B", other))
    ]
    results = [merge(listed(base), order).text for order in (sides, sides[::-1])]
    assert results[0] == results[1]
    return results[0]


@pytest.mark.parametrize(
    ("base", "one", "other", "result"),
    [
        ("caa", "ca", "yca", "yca"),
        ("aac", "ac", "acy", "acy"),
        ("caab", "cab", "ycabz", "ycabz"),
        ("aba", "abax", "yaba", "yabax"),
        ("abab", "ababx", "yabab", "yababx"),
        ("caa", "caax", "cya", "cyax"),
    ],
)
def test_of_elements_alike_both_take_away_the_same_one(
    base: str, one: str, other: str, result: str
) -> None:
    assert merged(base, one, other) == listed(result)


@given(st.text("abc", min_size=2, max_size=7), st.integers(0, 6))
def test_what_both_take_away_goes_once(text: str, at: int) -> None:
    at %= len(text)
    base, one = f"p{text}", f"p{text[:at]}{text[at + 1 :]}"
    assert merged(base, one, f"y{one}") == listed(f"y{one}")
