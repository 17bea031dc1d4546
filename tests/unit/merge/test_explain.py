"""What came from where: every leaf that a merge changed, with whose it is."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.merge.declared import from_policy
from bps.merge.engine import merge
from bps.merge.explain import explain
from bps.merge.origin_tree import OriginTree
from bps.merge.records import Contribution, Origin, Resolution

Told = tuple[str, str, tuple[str, ...], Any, Any]


def told(
    base: str,
    *sides: str,
    canonical: str | None = None,
    policy: dict[str, Any] | None = None,
    resolutions: dict[str, Resolution] | None = None,
) -> list[Told]:
    contributions = [
        Contribution(name, base, text) for name, text in zip("ABCDEF", sides, strict=False)
    ]
    into = base if canonical is None else canonical
    merged = merge(
        into, contributions, strategies=from_policy(policy or {}), resolutions=resolutions
    )
    return [line[:5] for line in explain(into, contributions, merged)]


def test_each_leaf_is_its_side_s() -> None:
    assert told("a: 1\nb: 2\nc: 3\n", "a: 9\nb: 2\nc: 3\n", "a: 1\nb: 2\nd: 4\n") == [
        ("/a", "changed", ("A",), 1, 9),
        ("/d", "added", ("B",), None, 4),
        ("/c", "deleted", ("B",), 3, None),
    ]


def test_a_side_taken_as_a_whole_is_told_leaf_by_leaf() -> None:
    base = "a: {x: 1, y: [1, 2]}\nb: 1\n"
    side = "a: {x: 2, y: [1, 2, 3]}\nb: 1\nnew:\n  p: {q: null}\n  r: []\n"
    expected: list[Told] = [
        ("/a/x", "changed", ("A",), 1, 2),
        ("/a/y/2", "added", ("A",), None, 3),
        ("/new/p/q", "added", ("A",), None, None),
        ("/new/r", "added", ("A",), None, []),
    ]
    assert told(base, side) == expected
    assert told(base, side, base) == expected


def test_the_same_edit_is_that_of_all_who_made_it() -> None:
    assert told("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 2\nb: 2\n", "a: 1\nb: 2\n") == [
        ("/a", "changed", ("A", "B"), 1, 2),
        ("/b", "changed", ("B", "C"), 1, 2),
    ]


def test_elements_are_known_by_their_identity_wherever_they_stand() -> None:
    base = "t:\n  - id: a\n    v: 1\n  - id: b\n    v: 1\n  - id: c\n    v: {p: 1}\n"
    first = base.replace("  - id: a\n    v: 1\n", "")
    second = base.replace("{p: 1}", "{p: 2}") + "  - id: d\n    v: 9\n"
    assert told(base, first, second) == [
        ("/t/1/v/p", "changed", ("B",), 1, 2),
        ("/t/2/id", "added", ("B",), None, "d"),
        ("/t/2/v", "added", ("B",), None, 9),
        ("/t/0/id", "deleted", ("A",), "a", None),
        ("/t/0/v", "deleted", ("A",), 1, None),
    ]


def test_elements_without_identity_are_aligned_by_what_they_are() -> None:
    base = "t:\n  - one\n  - x: 1\n    y: 2\n  - z: 1\n"
    first = base.replace("  - one\n", "  - zero\n  - one\n")
    second = base.replace("z: 1", "z: 2")
    assert told(base, first, second) == [
        ("/t/0", "added", ("A",), None, "zero"),
        ("/t/3/z", "changed", ("B",), 1, 2),
    ]


def test_what_went_from_an_element_is_told_where_that_stood() -> None:
    keyed = "l:\n  - {id: a, v: 1, w: 1}\n  - {id: b, v: 1, w: 1}\n"
    assert told(keyed, "l:\n  - {id: n}\n  - {id: a, v: 1}\n  - {id: b, v: 1, w: 1}\n") == [
        ("/l/0/id", "added", ("A",), None, "n"),
        ("/l/0/w", "deleted", ("A",), 1, None),
    ]


def test_what_no_side_has_is_merged_of_several() -> None:
    base = "t: |\n  1\n  2\n  3\n"
    first, second = base.replace("1", "one"), base.replace("3", "three")
    assert told(base, first, second) == [
        ("/t", "merged", ("A", "B"), "1\n2\n3\n", "one\n2\nthree\n")
    ]


def test_a_declared_strategy_names_whom_it_took() -> None:
    policy = {"/v": {"max": "semver"}}
    assert told("v: 1.0.0\n", "v: 1.2.0\n", "v: 1.10.0\n", policy=policy) == [
        ("/v", "changed", ("B",), "1.0.0", "1.10.0")
    ]


def test_canonical_s_own_edits_are_no_change_of_this_merge() -> None:
    lines = told("a: 1\nb: 1\nc: 1\n", "a: 1\nb: 2\nc: 1\n", canonical="a: 9\nb: 1\nc: 1\n")
    assert lines == [("/b", "changed", ("A",), 1, 2)]


def test_comments_and_layout_are_told_as_rewritten() -> None:
    assert told("a: 1\nb: 1\n", "a: 1  # why\nb: 1\n", "a: 1\nb: 2\n") == [
        ("/b", "changed", ("B",), 1, 2),
        ("/a", "rewritten", ("A",), None, None),
    ]


def test_a_scalar_that_became_a_collection_is_one_line() -> None:
    assert told("a: 1\n", "a: {b: [2]}\n") == [("/a", "changed", ("A",), 1, {"b": [2]})]


def test_null_is_a_value() -> None:
    assert told("a: 1\nb: null\n", "a: null\n") == [
        ("/a", "changed", ("A",), 1, None),
        ("/b", "deleted", ("A",), None, None),
    ]


def test_paths_are_json_pointers() -> None:
    assert told('"a/b~c": 1\n', '"a/b~c": 2\n')[0][0] == "/a~1b~0c"


def test_documents_are_numbered_where_there_are_several() -> None:
    lines = told("a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n")
    assert lines == [("/#1/b", "changed", ("A",), 1, 2)]


def test_while_conflicts_are_open_they_and_what_is_beside_them_are_told() -> None:
    base = "a: 1\nb: 1\nc: {d: 1}\n"
    lines = told(base, "a: 2\nb: 3\nc: {d: 1}\n", "a: 9\nb: 1\nc: {d: 2}\n")
    assert lines == [
        ("/a", "conflict", ("A", "B"), 1, None),
        ("/b", "changed", ("A",), 1, 3),
        ("/c/d", "changed", ("B",), 1, 2),
    ]


def test_what_holds_a_conflict_or_lies_in_one_is_not_beside_it() -> None:
    origins = [Origin(path, "conflict", ()) for path in ("/a/b", "/l/-/x", "/c/2/y")]
    tree = OriginTree(origins)
    assert all(map(tree.leads, [(), ("a",), ("a", "b"), ("l", "-"), ("c", "-", "y")]))
    assert not any(map(tree.leads, [("b",), ("a", "b", "c"), ("a", "x"), ("c", "3"), ("l", "0")]))


def test_many_conflicts_are_told_soon() -> None:
    base = "".join(f"k{at}: v\n" for at in range(1500))
    one, other = base.replace("k", "a"), base.replace("v", "w")
    began = time.process_time()
    lines = told(base, one, other)
    assert time.process_time() - began < 6
    assert [each[1] for each in lines[:1500]] == ["conflict"] * 1500
    assert {each[1:3] for each in lines[1500:]} == {("added", ("A",))}


def test_a_resolution_is_told_as_a_person_s() -> None:
    base, first, second = "a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 3\nb: 2\n"
    (conflict,) = merge(
        base, [Contribution("A", base, first), Contribution("B", base, second)]
    ).conflicts
    lines = told(base, first, second, resolutions={conflict.id: Resolution(take="B")})
    assert lines == [
        ("/a", "resolved", ("B",), 1, 3),
        ("/b", "changed", ("B",), 1, 2),
    ]


def test_what_does_not_exist_is_told_apart_from_null() -> None:
    base, one, two = "a: 1\nb: null\n", "a: null\nb: 2\n", "a: 3\n"
    sides = [Contribution("A", base, one), Contribution("B", base, two)]
    of_a, of_b = merge(base, sides).conflicts
    taken = {of_a.id: Resolution(take="A"), of_b.id: Resolution(take="B")}
    lines = explain(base, sides, merge(base, sides, resolutions=taken))
    assert [tuple(line) for line in lines] == [
        ("/a", "resolved", ("A",), 1, None, ()),
        ("/b", "resolved", ("B",), None, None, ("after",)),
    ]


def test_nothing_changed_is_nothing_told() -> None:
    assert told("a: 1\n", "a: 1\n") == []


def test_line_ends_and_byte_order_marks_are_no_data() -> None:
    lines = told("\ufeffa: 1\r\nb: 1\r\n", "\ufeffa: 2\r\nb: 1\r\n", "\ufeffa: 1\r\nb: 2\r\n")
    assert [line[:3] for line in lines] == [
        ("/a", "changed", ("A",)),
        ("/b", "changed", ("B",)),
    ]


keys = st.sampled_from("abc")
values = st.recursive(
    st.integers(0, 3) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
documents = st.dictionaries(keys, values, min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("origin", "leaf", "found"),
    [
        ("", ("a", "b"), True),
        ("/a", ("a", "b"), True),
        ("/a/b", ("a", "b"), True),
        ("/a/b/c", ("a", "b"), False),
        ("/a/-", ("a", "7"), True),
        ("/a/-/x", ("a", "7", "x", "y"), True),
        ("/a/-/x", ("a", "7", "z"), False),
        ("/#-/x", ("#1", "x"), True),
        ("/ab", ("a",), False),
    ],
)
def test_an_origin_holds_for_all_that_lies_below_it(
    origin: str, leaf: tuple[str, ...], found: bool
) -> None:
    one = Origin(origin, "changed", ("A",))
    assert OriginTree([one]).nearest(leaf) == (one if found else None)
    assert OriginTree([one]).above([leaf]) == ({0} if found else set())


def test_the_nearest_origin_is_the_longest_and_of_several_the_first() -> None:
    paths = ["", "/a", "/-", "/a", "/a/b/c"]
    tree = OriginTree([Origin(path, str(i), ()) for i, path in enumerate(paths)])
    assert [getattr(tree.nearest(leaf), "change", None) for leaf in (("x",), ("a", "b"), ())] == [
        "2",
        "1",
        "0",
    ]
    assert [tree.at(i) for i in range(5)] == [0, 1, 2, 1, 4]


@given(base=documents, side=documents)
def test_every_leaf_that_differs_is_told_and_no_other(base: Any, side: Any) -> None:
    before, after = json.dumps(base), json.dumps(side)
    lines = told(before, after)
    # The order of keys alone is told as rewritten.
    assert (lines == []) == (before == after)
    for path, change, sources, old, new in lines:
        assert sources == ("A",)
        if change in {"changed", "added"}:
            assert at(side, path) == new
        if change == "deleted":
            assert at(base, path) == old


def at(data: Any, path: str) -> Any:
    for step in path.split("/")[1:]:
        data = data[int(step)] if isinstance(data, list) else data[step]
    return data
