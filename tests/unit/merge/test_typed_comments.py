"""The comments of a value that a reviewer typed."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution, Merged, Resolution
from bps.merge.refusals import Unreadable


def _typed(base: str, one: str, other: str, text: str) -> Merged:
    sides = [Contribution("one", base, one), Contribution("other", base, other)]
    (conflict,) = merge(base, sides).conflicts
    return merge(base, sides, resolutions={conflict.id: Resolution(text=text)})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("v  # why", " v  # why\n"),
        ("# why\nv", "\n  # why\n  v\n"),
        ("# why\nk: v", "\n  # why\n  k: v\n"),
        ("- a  # why\n# after", "\n  - a  # why\n  # after\n"),
        ("&a\n# why\nk: v", "\n  &a\n  # why\n  k: v\n"),
        ("{a: 1}  # why", " {a: 1}  # why\n"),
        ("|\n  text\n# after", " |\n  text\n# after\n"),
        ("v\n# after", " v\n  # after\n"),
    ],
)
def test_the_comments_around_a_typed_value_stay(text: str, wanted: str) -> None:
    merged = _typed("x: 1\nz: 0\n", "x: 2\nz: 0\n", "x: 3\nz: 0\n", text)
    assert merged.text == f"x:{wanted}z: 0\n"
    assert merged.notices == ()


def test_a_comment_typed_twice_is_meant() -> None:
    base = "x: 1\n# why\nz: 0\n"
    merged = _typed(base, base.replace("1", "2"), base.replace("1", "3"), "# so\n# so\n9")
    assert merged.notices == ()
    assert merged.text == "x:\n  # so\n  # so\n  9\n# why\nz: 0\n"


def test_the_comments_between_typed_elements_stay() -> None:
    base = "x:\n- a: 1\n"
    text = "# why\n- c: 1\n# then\n- d: 1  # so\n# after\n"
    merged = _typed(base, f"{base}- c: 1\n", f"{base}- d: 1\n", text)
    assert merged.text == base + text


def test_the_comments_of_a_typed_entry_stay() -> None:
    base = "k:\n  a: 1\n  b: 2\n"
    text = "# why\nm:  # so\n  a: 3\n# after\n"
    merged = _typed(base, base.replace("k:", "m:"), base.replace("a: 1", "a: 3"), text)
    assert merged.text == text


def test_a_comment_for_which_there_is_no_line_is_refused() -> None:
    base = "x:\n- a: 1\n"
    with pytest.raises(Unreadable, match="a comment beside a value in brackets"):
        _typed(base, f"{base}- c: 1\n", f"{base}- d: 1\n", "# why\n[c, d]")
