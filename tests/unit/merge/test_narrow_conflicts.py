"""Conflicts stand around the smallest node that makes them, and the rest is merged."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bps.merge.records import Resolution
from tests.unit.merge import laws
from tests.unit.merge.cases import Case
from tests.unit.merge.measures import ONE, OTHER, merged, same_data


class Narrow(NamedTuple):
    """A case, its conflicts as kind and path, and the text with markers."""

    name: str
    base: str
    one: str
    other: str
    conflicts: tuple[tuple[str, str], ...]
    marked: str


ANCHORS = (
    Narrow(
        "an entry of an anchored mapping, whose alias another one added",
        "z: 0\nd: &d\n  i: 1\n  j: 2\ns: 1\n",
        "z: 1\nd: &d\n  i: 5\n  j: 2\ns: 1\n",
        "z: 0\nd: &d\n  i: 1\n  j: 7\ns: *d\n",
        (("anchor", "/d/i"),),
        "z: 1\nd: &d\n<<<<<<< one\n  i: 5\n||||||| canonical\n  i: 1\n=======\n  i: 1\n"
        ">>>>>>> other\n  j: 7\ns: *d\n",
    ),
    Narrow(
        "an anchor deleted that another one refers to",
        "a: &x 1\nb: 1\nc: 1\n",
        "b: 1\nc: 2\n",
        "a: &x 1\nb: *x\nc: 1\n",
        (("anchor", "/a"), ("anchor", "/b")),
        "<<<<<<< one\n||||||| canonical\na: &x 1\n=======\na: &x 1\n>>>>>>> other\n"
        "<<<<<<< one\nb: 1\n||||||| canonical\nb: 1\n=======\nb: *x\n>>>>>>> other\nc: 2\n",
    ),
    Narrow(
        "one anchor that two added to different places",
        "q: 1\nm:\n  r: 1\n",
        "q: 2\nm:\n  r: 1\n  c: &x 1\n  e: *x\n",
        "q: 1\nm:\n  r: 1\n  d: &x 2\n  f: *x\n",
        (("anchor", "/m"),),
        "q: 2\n<<<<<<< one\nm:\n  r: 1\n  c: &x 1\n  e: *x\n||||||| canonical\nm:\n  r: 1\n"
        "=======\nm:\n  r: 1\n  d: &x 2\n  f: *x\n>>>>>>> other\n",
    ),
    Narrow(
        "an anchored element of a list that was replaced",
        "l:\n- 1\n- &x 2\nb: 1\nc: 1\n",
        "l:\n- 1\n- &x 222\nb: 1\nc: 2\n",
        "l:\n- 1\n- &x 2\nb: *x\nc: 1\n",
        (("anchor", "/l"),),
        "<<<<<<< one\nl:\n- 1\n- &x 222\n||||||| canonical\nl:\n- 1\n- &x 2\n=======\n"
        "l:\n- 1\n- &x 2\n>>>>>>> other\nb: *x\nc: 2\n",
    ),
)


@pytest.mark.parametrize("case", ANCHORS, ids=lambda case: case.name)
def test_the_markers_stand_around_the_place(case: Narrow) -> None:
    result = merged(Case(case.base, case.one, case.other))
    assert tuple((each.kind.value, each.path) for each in result.conflicts) == case.conflicts
    assert result.marked == case.marked


@pytest.mark.parametrize("case", ANCHORS, ids=lambda case: case.name)
def test_every_law_holds(case: Narrow) -> None:
    for law in laws.LAWS:
        law(Case(case.base, case.one, case.other, case.base))


def test_an_anchor_that_both_changed_alike_is_no_conflict() -> None:
    base = "a: &x 1\nb: 1\n"
    case = Case(base, "a: &x 2\nb: 1\n", "a: &x 2\nb: *x\n")
    assert merged(case).text == "a: &x 2\nb: *x\n"


@pytest.mark.parametrize("take", [ONE, OTHER])
def test_a_choice_about_an_anchor_keeps_the_rest_of_both(take: str) -> None:
    case = Case("a: &x 1\nb: 1\nc: 1\n", "a: &x 2\nb: 1\nc: 2\n", "a: &x 1\nb: *x\nc: 1\n")
    chosen = {each.id: Resolution(take=take) for each in merged(case).conflicts}
    text = merged(case, chosen).text
    assert text is not None
    assert same_data(text, f"a: &x {2 if take == ONE else 1}\nb: *x\nc: 2\n")
