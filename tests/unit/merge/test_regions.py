"""Comments between two entries, which editors divided into other paragraphs."""

from __future__ import annotations

import pytest

from bps.merge.engine import merge
from bps.merge.records import Contribution, Merged, Resolution

_KEPT = "a: 1\n\n# A\n#x: 1\n#y: 2\n#z: 3\n"
_SPLIT = "a: 1\n\n# A\n#w: 0\n\n# B\n#x: 1\n#y: 2\n#z: 3\n"


def _three_way(base: str, one: str, other: str) -> Merged:
    return merge(base, [Contribution("one", base, one), Contribution("other", base, other)])


@pytest.mark.parametrize("below", ["", "b: 2\n", "b:\n  c: 1\n"])
def test_a_line_deleted_from_a_paragraph_that_was_split_stays_deleted(below: str) -> None:
    base, one, other = _KEPT + below, _KEPT.replace("#z: 3\n", "") + below, _SPLIT + below
    merged = _three_way(base, one, other)
    assert merged.text == _SPLIT.replace("#z: 3\n", "") + below
    assert merged.notices == ()
    assert _three_way(base, other, one).text == merged.text
    assert {origin.sources for origin in merged.origins} == {("one", "other")}


def test_a_line_edited_in_a_paragraph_that_was_split() -> None:
    base = "a: 1\n# facts\n####\n#x: 1\n"
    merged = _three_way(
        base, base.replace("#x: 1", "#y: 1"), base.replace("####", "# new\n#k:\n\n####")
    )
    assert merged.text == "a: 1\n# facts\n# new\n#k:\n\n####\n#y: 1\n"


def test_the_entry_below_is_merged_too() -> None:
    base, one, other = (text + "b: {c: 1, d: 1}\n" for text in (_KEPT, _KEPT, _SPLIT))
    one = one.replace("#z: 3\n", "").replace("c: 1", "c: 2")
    other = other.replace("d: 1", "d: 2")
    merged = _three_way(base, one, other)
    assert merged.text == _SPLIT.replace("#z: 3\n", "") + "b: {c: 2, d: 2}\n"


def test_a_conflict_of_the_entry_below_does_not_hold_the_comments() -> None:
    base, one, other = _KEPT + "b: 1\n", _KEPT.replace("#z: 3\n", "") + "b: 2\n", _SPLIT + "b: 3\n"
    merged = _three_way(base, one, other)
    assert [each.path for each in merged.conflicts] == ["/b"]
    assert merged.marked.startswith(_SPLIT.replace("#z: 3\n", "") + "<<<<<<<")


def test_lines_that_two_changed_stay_a_conflict() -> None:
    one, other = _KEPT.replace("#z: 3", "#z: 4"), _SPLIT.replace("#z: 3", "#z: 5")
    merged = _three_way(_KEPT, one, other)
    assert merged.text is None
    assert [each.kind.value for each in merged.conflicts] == ["comment"]


_RULED = "a: 1\n\n####\n# B\n####\nb: 2\n\n####\n# X\n####\nc: 1\n"


@pytest.mark.parametrize(
    "one",
    [_RULED.replace("####\n# B", "####\n# new\n\n# B"), _RULED.replace("####\n# B", "# B")],
    ids=["added", "deleted"],
)
def test_a_ruler_that_stands_elsewhere_too_is_neither_doubled_nor_undeleted(one: str) -> None:
    other = _RULED.replace("# B\n", "# B\n\n")
    assert _three_way(_RULED, one, other).text == one.replace("# B\n", "# B\n\n")
    assert _three_way(_RULED, other, one).text == one.replace("# B\n", "# B\n\n")


_DIVIDED = _RULED.replace("####\n# B", "####\n\n# B")
_RULE_GONE = _RULED.replace("####\n# B", "# B")


def test_a_paragraph_divided_beside_a_line_that_another_one_deleted_is_in_conflict() -> None:
    for sides in ((_DIVIDED, _RULE_GONE), (_RULE_GONE, _DIVIDED)):
        merged = _three_way(_RULED, *sides)
        (conflict,) = merged.conflicts
        assert (conflict.kind.value, conflict.path) == ("comment", "/b")
        assert merged.marked.count("<<<<<<<") == 1
        for label, text in zip(("one", "other", "base"), (*sides, _RULED), strict=True):
            assert _decided(sides, Resolution(take=label)) == text
        typed = _decided(sides, Resolution(text="# C\n"))
        assert typed == _RULED.replace("####\n# B\n####", "# C")


def _decided(sides: tuple[str, str], resolution: Resolution) -> str | None:
    (conflict,) = _three_way(_RULED, *sides).conflicts
    contributions = [
        Contribution(label, _RULED, text)
        for label, text in zip(("one", "other"), sides, strict=True)
    ]
    return merge(_RULED, contributions, resolutions={conflict.id: resolution}).text


def test_a_deleted_empty_line_of_a_comment_stays_deleted_beside_an_edit() -> None:
    base = "k: 1\n#\n# A\n#\nb: 1\n"
    one, other = base.replace("# A\n#\n", "# A\n"), base.replace("# A", "# B")
    assert _three_way(base, one, other).text == "k: 1\n#\n# B\nb: 1\n"
    assert _three_way(base, other, one).text == "k: 1\n#\n# B\nb: 1\n"
