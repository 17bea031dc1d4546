"""Conflicts stand around the smallest node that makes them, and the rest is merged."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bps.merge import engine
from bps.merge.records import Contribution, Resolution
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
    Narrow(
        "an anchor that went beside a conflict around its alias",
        "a:\n- &l\n  x: 1\nb:\n- *l\n- y: 1\nc: 1\n",
        "a:\n- z: 1\nc: 2\n",
        "a:\n- &l\n  x: 1\nb:\n- *l\n- y: 2\nc: 1\n",
        (("anchor", "/a"), ("modify_delete", "/b")),
        "<<<<<<< one\na:\n- z: 1\n||||||| canonical\na:\n- &l\n  x: 1\n=======\na:\n- &l\n  x: 1\n"
        ">>>>>>> other\n<<<<<<< one\n||||||| canonical\nb:\n- *l\n- y: 1\n=======\nb:\n- *l\n"
        "- y: 2\n>>>>>>> other\nc: 2\n",
    ),
)

LISTS = (
    Narrow(
        "one element that two added to different places",
        "- {a: 1, k: 1}\n- {b: 1, k: 2}\n- {c: 1, k: 3}\n- {d: 1, k: 4}\n",
        "- {a: 1, k: 1}\n- {b: 1, k: 2}\n- {n: 1}\n- {c: 1, k: 3}\n- {d: 1, k: 4}\n",
        "- {a: 2, k: 1}\n- {b: 1, k: 2}\n- {c: 1, k: 3}\n- {n: 1}\n- {d: 1, k: 4}\n",
        (("list_insert", ""),),
        "- {a: 2, k: 1}\n- {b: 1, k: 2}\n<<<<<<< one\n- {n: 1}\n- {c: 1, k: 3}\n"
        "||||||| canonical\n- {c: 1, k: 3}\n=======\n- {c: 1, k: 3}\n- {n: 1}\n>>>>>>> other\n"
        "- {d: 1, k: 4}\n",
    ),
    Narrow(
        "an element that one moved and another one edited",
        "- {a: 1, k: 1}\n- {b: 1, x: 1}\n- {c: 1, k: 3}\n- {d: 1, k: 4}\n",
        "- {a: 1, k: 1}\n- {c: 1, k: 3}\n- {b: 1, x: 1}\n- {d: 1, k: 4}\n",
        "- {a: 2, k: 1}\n- {b: 2, x: 1}\n- {c: 1, k: 3}\n- {d: 5, k: 4}\n",
        (("list_insert", ""),),
        "- {a: 2, k: 1}\n<<<<<<< one\n- {c: 1, k: 3}\n- {b: 1, x: 1}\n||||||| canonical\n"
        "- {b: 1, x: 1}\n- {c: 1, k: 3}\n=======\n- {b: 2, x: 1}\n- {c: 1, k: 3}\n>>>>>>> other\n"
        "- {d: 5, k: 4}\n",
    ),
)

REPLACED = (
    Narrow(
        "an element that is nothing but its id, replaced by two",
        "k:\n- id: a\n- id: b\n",
        "k:\n- id: x\n- id: b\n",
        "k:\n- id: y\n- id: b\n",
        (("rename_modify", "/k/0"),),
        "k:\n<<<<<<< one\n- id: x\n||||||| canonical\n- id: a\n=======\n- id: y\n>>>>>>> other\n"
        "- id: b\n",
    ),
    Narrow(
        "an element that two replaced by others that say something else",
        "k:\n- id: a\n  v: 1\n- id: b\n",
        "k:\n- id: x\n  v: 2\n- id: b\n",
        "k:\n- id: y\n  v: 3\n- id: b\n",
        (("rename_modify", "/k/0"),),
        "k:\n<<<<<<< one\n- id: x\n  v: 2\n||||||| canonical\n- id: a\n  v: 1\n=======\n"
        "- id: y\n  v: 3\n>>>>>>> other\n- id: b\n",
    ),
)

NO_LAST_NEWLINE = Narrow(
    "no last newline behind a conflict",
    "k: 1\ne: |\n  text",
    "k: 2\ne: |\n  text",
    "k: 3\ne: |\n  text",
    (("both_modified", "/k"),),
    "<<<<<<< one\nk: 2\n||||||| canonical\nk: 1\n=======\nk: 3\n>>>>>>> other\ne: |\n  text",
)

NARROW = (*ANCHORS, *LISTS, *REPLACED, NO_LAST_NEWLINE)


class Clean(NamedTuple):
    """A case that is no conflict, and what it comes to."""

    name: str
    base: str
    one: str
    other: str
    text: str


OBJECT = "apiVersion: {}\nkind: {}\nmetadata:\n  name: n\nspec:\n  x: {}\n"

CLEAN = (
    Clean(
        "an anchor that both changed alike, and one referred to",
        "a: &x 1\nb: 1\n",
        "a: &x 2\nb: 1\n",
        "a: &x 2\nb: *x\n",
        "a: &x 2\nb: *x\n",
    ),
    Clean(
        "one move that both made, and an addition",
        "- a\n- b\n- c\n- d\n",
        "- b\n- a\n- c\n- d\n",
        "- b\n- a\n- c\n- d\n- e\n",
        "- b\n- a\n- c\n- d\n- e\n",
    ),
    Clean(
        "an addition between two that both made",
        "- name: old\n",
        "- name: old\n- name: a\n- name: d\n- name: f\n",
        "- name: old\n- name: d\n- name: b\n- name: f\n",
        "- name: old\n- name: a\n- name: d\n- name: b\n- name: f\n",
    ),
    Clean(
        "the order of steps that one version has",
        "- name: old z\n- name: old y\n",
        "- name: new z\n- name: old y\n",
        "- name: new z\n- name: new y\n",
        "- name: new z\n- name: new y\n",
    ),
    Clean(
        "a block scalar stripped and a line of it edited",
        "k: |\n  a\n  b\n  c\n",
        "k: |-\n  a\n  b\n  c\n",
        "k: |\n  a\n  b\n  d\n",
        "k: |-\n  a\n  b\n  d\n",
    ),
    Clean(
        "an object of another apiVersion that another one edited",
        "---\n".join((OBJECT.format("v1", "A", 1), OBJECT.format("v1", "B", 1))),
        "---\n".join((OBJECT.format("v2", "A", 1), OBJECT.format("v1", "B", 1))),
        "---\n".join((OBJECT.format("v1", "A", 2), OBJECT.format("v1", "B", 3))),
        "---\n".join((OBJECT.format("v2", "A", 2), OBJECT.format("v1", "B", 3))),
    ),
    Clean(
        "a blank line behind the comment behind a keeping block scalar",
        "a: 1\nr:\n  k: |+\n    t\n  # x\n\nb: 1\n",
        "a: 2\nr:\n  k: |+\n    t\n  # x\n\nb: 1\n",
        "a: 1\nr:\n  k: |+\n    t\n  # x\n\nb: 2\n",
        "a: 2\nr:\n  k: |+\n    t\n  # x\n\nb: 2\n",
    ),
    Clean(
        "items of a flow list with comments",
        "k: [\n  a,  # x\n  # own\n  b,\n  c,\n  d\n]  # t\nz: 1\n",
        "k: [\n  a2,  # x2\n  # own\n  b,\n  c,\n  d\n]  # t\nz: 1\n",
        "k: [\n  a,  # x\n  # own\n  b,\n  c2,\n  e,\n  d\n]  # u\nz: 1\n",
        "k: [\n  a2,  # x2\n  # own\n  b,\n  c2,\n  e,\n  d\n]  # u\nz: 1\n",
    ),
    Clean(
        "entries around an explicit key",
        "p: &a\n  a: 1\n  ? b\n  : g: 1\n  c: 3\n",
        "p: &a\n  a: 2\n  ? b\n  : g: 1\n  c: 3\n",
        "p: &a\n  a: 1\n  ? b\n  : g: 1\n  c: 4\n",
        "p: &a\n  a: 2\n  ? b\n  : g: 1\n  c: 4\n",
    ),
    Clean(
        "a comment below an empty key that was filled",
        "r:\n  a:\n    # x\n  b: 1\n",
        "r:\n  a:\n    # x\n    - k\n  b: 1\n",
        "r:\n  a:\n    # x\n  # y\n  b: 1\n",
        "r:\n  a:\n    # x\n    - k\n  # y\n  b: 1\n",
    ),
)


@pytest.mark.parametrize("case", NARROW, ids=lambda case: case.name)
def test_the_markers_stand_around_the_place(case: Narrow) -> None:
    result = merged(Case(case.base, case.one, case.other))
    assert tuple((each.kind.value, each.path) for each in result.conflicts) == case.conflicts
    assert result.marked == case.marked


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_there_is_no_conflict(case: Clean) -> None:
    result = merged(Case(case.base, case.one, case.other))
    assert result.text == case.text, result.conflicts


@pytest.mark.parametrize("case", [*NARROW, *CLEAN], ids=lambda case: case.name)
def test_every_law_holds(case: Narrow | Clean) -> None:
    for law in laws.LAWS:
        law(Case(case.base, case.one, case.other, case.base))


@pytest.mark.parametrize("take", [ONE, OTHER])
def test_a_choice_about_an_anchor_keeps_the_rest_of_both(take: str) -> None:
    case = Case("a: &x 1\nb: 1\nc: 1\n", "a: &x 2\nb: 1\nc: 2\n", "a: &x 1\nb: *x\nc: 1\n")
    chosen = {each.id: Resolution(take=take) for each in merged(case).conflicts}
    text = merged(case, chosen).text
    assert text is not None
    assert same_data(text, f"a: &x {2 if take == ONE else 1}\nb: *x\nc: 2\n")


def listed(*items: str) -> str:
    return "l:\n" + "".join(f"- {item}\n" for item in items)


A, B, C, D = "{a: 1, k: 1}", "{b: 1, k: 2}", "{c: 1, k: 3}", "{d: 1, k: 4}"


@pytest.mark.parametrize(
    ("canonical", "early", "late", "conflicts"),
    [
        (
            (A, "{b: 2, k: 2}", C, D),
            (A, B, C, "{d: 5, k: 4}"),
            (A, "{b: 2, k: 2}", "{c: 3, k: 3}", D),
            (),
        ),
        (
            (A, "{b: 2, k: 2}", C, D),
            (A, "{b: 3, k: 2}", C, "{d: 5, k: 4}"),
            (A, "{b: 2, k: 2}", "{c: 3, k: 3}", D),
            ("/l/1",),
        ),
        ((A, D, B, C), (B, "{a: 4, k: 1}", C, D), (A, D, B), ("/l",)),
    ],
    ids=["edits of different elements", "two edits of one element", "moved apart"],
)
def test_forks_of_a_list_conflict_where_they_meet(
    canonical: tuple[str, ...],
    early: tuple[str, ...],
    late: tuple[str, ...],
    conflicts: tuple[str, ...],
) -> None:
    sides = [
        Contribution("early", listed(A, B, C, D), listed(*early)),
        Contribution("late", listed(*canonical), listed(*late)),
    ]
    first, second = (engine.merge(listed(*canonical), order) for order in (sides, sides[::-1]))
    assert tuple(each.path for each in first.conflicts) == conflicts
    assert [each.id for each in first.conflicts] == [each.id for each in second.conflicts]
    if not conflicts:
        assert first.text == listed(A, "{b: 2, k: 2}", "{c: 3, k: 3}", "{d: 5, k: 4}")


def test_a_set_takes_additions_to_different_forks() -> None:
    sides = [
        Contribution("early", listed("a", "b"), listed("a", "b", "e")),
        Contribution("late", listed("a", "b", "c"), listed("a", "b", "c", "d")),
    ]
    text = engine.merge(listed("a", "b", "c"), sides).text
    assert text is not None
    assert same_data(text, listed("a", "b", "e", "c", "d"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", '"1"'), ("yes", "true"), ("010", "8"), ("yes", '"yes"')],
)
def test_keys_that_some_readers_take_for_one_are_told(one: str, other: str) -> None:
    result = merged(Case("z: 1\n", f"z: 1\n{one}: a\n", f"z: 1\n{other}: b\n"))
    assert [each.message for each in result.notices] == [
        f"the keys {one} and {other} are one key to some readers"
    ]


def test_keys_that_one_version_has_side_by_side_are_not_told() -> None:
    base = 'z: 1\n1: a\n"1": b\n'
    result = merged(Case(base, base.replace("z: 1", "z: 2"), base.replace("a", "c")))
    assert result.text is not None
    assert not result.notices


@pytest.mark.parametrize(
    ("base", "one", "other"),
    [
        (
            "k: [\n  a,  # x\n  b,\n  c\n]\n",
            "k: [\n  n,\n  a,  # x\n  b,\n  c\n]\n",
            "k: [\n  a,  # x\n  b,\n  n,\n  c\n]\n",
        ),
        (
            "k:\n  a: 1\n  ? b\n  : 2\n  c: 3\n",
            "k:\n  n: 1\n  a: 1\n  ? b\n  : 2\n  c: 3\n",
            "k:\n  a: 1\n  ? b\n  : 2\n  c: 3\n  n: 2\n",
        ),
    ],
    ids=["one item added twice", "one key added with two values"],
)
def test_lines_of_an_opaque_collection_that_mean_something_else_together_conflict(
    base: str, one: str, other: str
) -> None:
    assert [each.path for each in merged(Case(base, one, other)).conflicts] == ["/k"]
