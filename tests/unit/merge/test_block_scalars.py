"""The first line of a block scalar of which several editors changed the lines or the comment."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution, Kind, Merged


def _merged(base: str, one: str, other: str) -> Merged:
    result = merge(base, [Contribution("A", base, one), Contribution("B", base, other)])
    swapped = merge(base, [Contribution("B", base, other), Contribution("A", base, one)])
    assert result.text == swapped.text
    return result


@pytest.mark.parametrize(
    "header", ["|", "!Sub |", "&a >-", "!Sub &a |+", "&a  !!str\t|2", "!<tag:x.org,2000:y> |"]
)
@pytest.mark.parametrize("start", ["k: ", "- "])
def test_anchor_and_tag_stay_where_two_change_lines(start: str, header: str) -> None:
    base = f"{start}{header}\n  x\n  y\n  z\n"
    result = _merged(base, base.replace(" x\n", " p\n"), base.replace(" z\n", " q\n"))
    assert result.text == f"{start}{header}\n  p\n  y\n  q\n"


def test_a_tag_that_one_changed_and_lines_that_another_one_did_are_a_conflict() -> None:
    base = "k: !Sub |\n  x\n"
    [conflict] = _merged(base, base.replace("Sub", "Join"), base.replace(" x\n", " p\n")).conflicts
    assert (conflict.path, conflict.kind) == ("/k", Kind.BOTH_MODIFIED)


def test_lines_below_a_tag_with_a_line_of_its_own_are_left_to_a_person() -> None:
    base = "k: !Sub\n  |\n  x\n  y\n  z\n"
    [conflict] = _merged(base, base.replace(" x\n", " p\n"), base.replace(" z\n", " q\n")).conflicts
    assert (conflict.path, conflict.kind) == ("/k", Kind.BOTH_MODIFIED)


@pytest.mark.parametrize("before", ["", "!Sub ", "!Sub &a\t"])
@pytest.mark.parametrize("blanks", ["\t", " ", "\t "])
def test_a_comment_behind_the_indicators_is_once_in_the_result(before: str, blanks: str) -> None:
    base = f"k: {before}|-{blanks}# c\n  x\n"
    other = base.replace(" x\n", " p\n")
    result = _merged(base, base.replace(f"{blanks}# c", ""), other)
    assert result.text == f"k: {before}|-\n  p\n"
    assert _merged(base, f"# n\n{base}", other).text == f"# n\n{other}"
    changed = _merged(base, base.replace("# c", "# d"), other).text
    assert changed is not None
    assert changed.replace(" ", "").replace("\t", "") == (
        other.replace("# c", "# d").replace(" ", "").replace("\t", "")
    )
