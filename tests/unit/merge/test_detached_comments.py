"""A comment that stands alone still does where another editor put an entry behind it."""

from __future__ import annotations

import pytest

from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import merged


@pytest.mark.parametrize(
    ("above", "new", "below"),
    [
        ("", "k: 1", "z: 2\n"),
        ("a: 1\n", "k: 1", "z: 2\n"),
        ("a: 1\n", "k: 1", ""),
        ("l:\n- id: a\n", "- id: k", "- id: z\n"),
        ("l:\n- a\n", "- k", "- z\n"),
        ("l:\n- a\n", "- k", "- z\nm: 1\n"),
        ("l:\n  - b: 1\n    a: 1\n", "    k: 1", "    z: 2\n"),
    ],
)
def test_an_entry_that_one_side_added_does_not_take_over_the_comment_of_the_other(
    above: str, new: str, below: str
) -> None:
    margin = " " * (len(new) - len(new.lstrip(" ")))
    comment = f"{margin}# alone\n"
    gap = "\n" if below else ""
    base = above + below
    one, other = f"{above}\n{comment}{gap}{below}", f"{above}{new}\n{below}"
    results = []
    for first, second in ((one, other), (other, one)):
        case = Case(base, first, second)
        result = merged(case).text
        assert result is not None
        results.append(result)
        for law in laws.LAWS:
            law(case)
    assert sorted(results) == sorted(
        (f"{above}\n{comment}\n{new}\n{gap}{below}", f"{above}{new}\n\n{comment}{gap}{below}")
    )
