"""Entries that editors put between a comment and what stands below it."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution, Merged

_ELEMENTS = "t:\n- name: a\n  v: 1\n# about b\n- name: b\n  v: 2\n"
_KEYS = "a: 1\n\n# about b\nb: 2\n"


def _three_way(base: str, one: str, other: str) -> Merged:
    return merge(base, [Contribution("one", base, one), Contribution("other", base, other)])


@pytest.mark.parametrize(
    ("base", "entry", "below"), [(_ELEMENTS, "- name: {}\n", "- name: b"), (_KEYS, "{}: 0\n", "b:")]
)
def test_a_comment_above_two_insertions_stays_with_what_it_described(
    base: str, entry: str, below: str
) -> None:
    one, other = (
        base.replace(f"# about b\n{below}", f"# about b\n{entry.format(name)}{below}")
        for name in ("n1", "n2")
    )
    for first, second, names in ((one, other, ("n1", "n2")), (other, one, ("n2", "n1"))):
        merged = _three_way(base, first, second)
        new = "".join(entry.format(name) for name in names)
        assert merged.text == base.replace("# about b\n", f"{new}# about b\n")
        assert merged.notices == ()


def test_a_comment_that_another_one_edits_is_edited_above_what_it_described() -> None:
    one, other = _KEYS.replace("b: 2", "n: 0\nb: 2"), _KEYS.replace("# about b", "# all about b")
    wanted = "a: 1\n\nn: 0\n# all about b\nb: 2\n"
    assert _three_way(_KEYS, one, other).text == wanted
    assert _three_way(_KEYS, other, one).text == wanted


def test_a_comment_that_another_one_deletes_stays_deleted() -> None:
    one, other = _KEYS.replace("b: 2", "n: 0\nb: 2"), _KEYS.replace("# about b\n", "")
    assert _three_way(_KEYS, one, other).text == "a: 1\n\nn: 0\nb: 2\n"


def test_what_one_alone_put_there_stays_as_it_is() -> None:
    one, other = _KEYS.replace("b: 2", "n: 0\nb: 2"), _KEYS.replace("b: 2", "b: 3")
    assert _three_way(_KEYS, one, other).text == one.replace("b: 2", "b: 3")


def test_a_comment_at_the_end_below_which_two_add_entries_stands_once() -> None:
    base = "a: 1\n# tail\n"
    merged = _three_way(base, f"{base}n1: 0\n", f"{base}n2: 0\n")
    assert merged.text == f"{base}n1: 0\nn2: 0\n"


def test_a_blank_line_above_two_insertions_stands_once() -> None:
    merged = _three_way("a: 1\n\nb: 2\n", "a: 1\n\nn1: 0\nb: 2\n", "a: 1\n\nn2: 0\nb: 2\n")
    assert merged.text == "a: 1\n\nn1: 0\nn2: 0\nb: 2\n"
