"""Conflicts of vetoes: found at the same place in all versions, decided, and written (law 8)."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.blueprint.data import load
from bps.merge.engine import merge
from bps.merge.records import CANONICAL, Conflict, Contribution, Kind, Resolution
from bps.merge.refusals import Unreadable
from bps.merge.semantic import Contest, Decision

BASE = """\
title: checkout
limits:
  # per minute
  low: 1
  high: 9
tasks:
  - id: charge
    after: []
    sla: 10

  - id: refund # of all
    sla: 20
    why: |
      two
      lines
owners: [a, b]
"""


def edited(old: str, new: str, text: str = BASE) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


A = Contribution("A", BASE, edited("low: 1", "low: 8"), "alice")
B = Contribution("B", BASE, edited("high: 9", "high: 5"), "bob")
ADDS = Contribution("ADDS", BASE, edited("owners:", "  - id: audit\n    after: [refund]\nowners:"))
DROPS = Contribution("DROPS", BASE, BASE[: BASE.index("\n  - id: refund")] + "owners: [a, b]\n")


def contest(*sides: Contribution, canonical: str = BASE) -> tuple[Contest, str]:
    merged = merge(canonical, sides).text
    assert merged is not None
    return Contest(canonical, sides), merged


def contested(pointer: str, *sides: Contribution, canonical: str = BASE) -> Conflict:
    known, merged = contest(*sides, canonical=canonical)
    told = known.conflict(merged, pointer, "v: no")
    assert told is not None
    return told[1]


def decided(
    conflict: Conflict, *sides: Contribution, take: str | None = None, text: str | None = None
) -> str:
    known, merged = contest(*sides)
    decision = Decision(conflict.id, conflict.path, Resolution(take, text))
    (settled,) = known.settled([decision])
    assert settled.conflict._replace(finding=conflict.finding) == conflict
    return known.written(merged, [settled])


def test_a_place_has_its_base_who_changed_it_and_what_was_objected() -> None:
    conflict = contested("/limits/low", A, B)
    assert (conflict.kind, conflict.path, conflict.finding) == (
        Kind.SEMANTIC,
        "/limits/low",
        "v: no",
    )
    assert (conflict.base.value, conflict.base.text) == (1, "  # per minute\n  low: 1\n")
    assert conflict.base.span is not None
    assert conflict.base.span.line == 3
    assert [(side.branch, side.by, side.variant.value) for side in conflict.sides] == [
        ("A", "alice", 8)
    ]


def test_a_place_that_nobody_changed_has_all_as_its_sides() -> None:
    conflict = contested("/title", A, B)
    assert [side.branch for side in conflict.sides] == ["A", "B"]


def test_canonical_is_a_side_where_it_moved() -> None:
    canonical = edited("title: checkout", "title: till")
    sides = contested("/title", A, B, canonical=canonical).sides
    assert [(side.branch, side.variant.value) for side in sides] == [
        (CANONICAL, "till"),
        ("A", "checkout"),
        ("B", "checkout"),
    ]


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("", ""),
        ("/limits", "/limits"),
        ("/limits/absent/deeper", "/limits"),
        ("/owners/1", "/owners"),
        ("/tasks/1", "/tasks/1"),
        ("/tasks/1/sla", "/tasks/1/sla"),
        ("/tasks/1/id", "/tasks/1"),
        ("/tasks/2/after/0", "/tasks/2/after"),
        ("/tasks/7", "/tasks"),
        ("/tasks/01x", "/tasks"),
    ],
)
def test_the_place_is_the_nearest_one_that_can_be_written_apart(pointer: str, place: str) -> None:
    assert contested(pointer, A, ADDS).path == place


def test_an_index_counts_in_the_first_version_that_has_the_element() -> None:
    sides = (DROPS, ADDS)
    known, merged = contest(*sides)
    assert [each["id"] for each in load(merged)["tasks"]] == ["charge", "audit"]
    told = known.conflict(merged, "/tasks/1/after", "v: no")
    assert told is not None
    assert (told[1].path, told[1].identity) == ("/tasks/2/after", {"id": "audit"})
    assert not told[1].base.present


@pytest.mark.parametrize(
    ("pointer", "sides", "take", "text", "result"),
    [
        ("/limits/low", (A, B), "base", None, B.text),
        ("/limits/low", (A, B), "A", None, edited("low: 1", "low: 8", B.text)),
        ("/limits/low", (A, B), None, "3", edited("low: 1", "low: 3", B.text)),
        ("/limits/low", (A, B), None, "{x: 1}", edited("low: 1", "low: {x: 1}", B.text)),
        (
            "/limits/low",
            (A, B),
            None,
            "x: 1\ny: 2",
            edited("low: 1", "low:\n    x: 1\n    y: 2", B.text),
        ),
        ("/tasks/2", (A, ADDS), "base", None, A.text),
        (
            "/tasks/2/after",
            (A, ADDS),
            None,
            "[charge]",
            edited("[refund]", "[charge]", edited("low: 1", "low: 8", ADDS.text)),
        ),
        ("/tasks", (A, DROPS), "base", None, A.text),
        ("", (A, B), "B", None, B.text),
        ("", (A, B), None, "a: 1", "a: 1\n"),
    ],
)
def test_what_is_decided_is_written_and_nothing_else(
    pointer: str,
    sides: tuple[Contribution, ...],
    take: str | None,
    text: str | None,
    result: str,
) -> None:
    conflict = contested(pointer, *sides)
    assert decided(conflict, *sides, take=take, text=text) == result


def test_a_collection_that_loses_its_last_entries_is_written_as_empty() -> None:
    base = "a: 1\nl:\n  - id: x\n    n: 1\nm:\n  k: 1\n"
    both = Contribution("A", "a: 1\nl: []\nm: {}\n", base)
    pair = Contribution("A", "a: 1\n", "a: 1\nm:\n  # why\n  k: 1\n  j: 2\n")
    known = Contest(both.base, [both])
    told = known.conflict(base, "/l/0", "v: no")
    assert told is not None
    # The base has an empty list in flow style, which cannot be taken apart.
    assert told[1].path == "/l"
    known = Contest(pair.base, [pair])
    decisions = []
    for pointer in ("/m/k", "/m/j"):
        told = known.conflict(pair.text, pointer, "v: no")
        assert told is not None
        decisions.append(Decision(told[1].id, told[1].path, Resolution("base", None)))
    settled = known.settled(decisions)
    assert known.written(pair.text, settled) == "a: 1\nm: {}\n"
    assert known.written(pair.text, settled[:1]) == "a: 1\nm:\n  # why\n  k: 1\n"


def test_lines_may_end_with_carriage_returns() -> None:
    base, text = BASE.replace("\n", "\r\n"), A.text.replace("\n", "\r\n")
    known = Contest(base, [Contribution("A", base, text)])
    told = known.conflict(text, "/limits/low", "v: no")
    assert told is not None
    decision = Decision(told[1].id, told[1].path, Resolution("base", None))
    assert known.written(text, known.settled([decision])) == base


def test_a_text_without_a_last_newline_keeps_so() -> None:
    side = Contribution("A", "a: 1\nb: 2", "a: 1\nb: 3")
    known = Contest(side.base, [side])
    told = known.conflict(side.text, "/b", "v: no")
    assert told is not None
    decision = Decision(told[1].id, "/b", Resolution(None, "4"))
    assert known.written(side.text, known.settled([decision])) == "a: 1\nb: 4"


def test_a_decision_holds_while_every_variant_of_its_place_is_the_same() -> None:
    conflict = contested("/limits/low", A, B)
    decision = Decision(conflict.id, conflict.path, Resolution("base", None))

    def holds(*sides: Contribution, canonical: str = BASE) -> bool:
        return bool(Contest(canonical, sides).settled([decision]))

    assert holds(A, B)
    assert holds(A, canonical=edited("title: checkout", "title: till"))
    assert not holds(B)
    assert not holds(A, B, canonical=edited("low: 1", "low: 2"))
    assert not holds(A._replace(text=edited("low: 1", "low: 7")), B)
    assert not holds(A, B, Contribution("C", BASE, edited("low: 1", "low: 8")))


def test_a_decision_of_a_part_gives_way_to_one_of_the_whole() -> None:
    inner, outer = contested("/limits/low", A, B), contested("/limits", A, B)
    known, merged = contest(A, B)
    decisions = [
        Decision(inner.id, inner.path, Resolution(None, "77")),
        Decision(outer.id, outer.path, Resolution("A", None)),
    ]
    settled = known.settled(decisions)
    assert [each.conflict.path for each in settled] == ["/limits"]
    assert known.written(merged, settled) == A.text


@pytest.mark.parametrize("text", ["[1", "*gone", "&x 1\n--- 2"])
def test_what_cannot_be_written_there_is_refused(text: str) -> None:
    conflict = contested("/limits/low", A, B)
    with pytest.raises(Unreadable):
        decided(conflict, A, B, text=text)


def test_the_order_of_the_sides_does_not_count() -> None:
    every = (A, B, ADDS)
    for pointer in ("", "/limits", "/limits/low", "/tasks/2/after", "/title"):
        found = {contested(pointer, *sides).id for sides in permutations(every)}
        assert len(found) == 1


KEYS = st.sampled_from("abc")
LEAVES = st.one_of(st.integers(0, 3), st.sampled_from(["x", "two words", "- no list", ""]))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(KEYS, inner, max_size=3),
        st.lists(
            st.builds(lambda id_, rest: {"id": id_, **rest}, st.sampled_from("pqr"), st.just({})),
            unique_by=lambda each: each["id"],
            max_size=3,
        ),
    ),
    max_leaves=8,
)
ROOTS = st.dictionaries(KEYS, TREES, min_size=1, max_size=3)


def block(value: object, margin: str = "") -> str:
    """Data as YAML in block style."""
    if isinstance(value, dict) and value:
        return "".join(
            f"{margin}{key}:{_behind(each, margin + '  ')}" for key, each in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(f"{margin}- {block(each, margin + '  ').lstrip()}" for each in value)
    return f"{margin}{value!r}\n"


def _behind(value: object, margin: str) -> str:
    inside = block(value, margin)
    return f"\n{inside}" if isinstance(value, dict | list) and value else f" {inside.lstrip()}"


def pointers(value: object, at: str = "") -> list[str]:
    """Every place of some data."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(found for key, each in inner for found in pointers(each, f"{at}/{key}"))]


def without(value: object, path: list[str]) -> object:
    """The data less what is at a path of keys; what holds it is left."""
    if not path:
        return None
    inner = value if isinstance(value, dict) else {}
    rest = {key: each for key, each in inner.items() if key != path[0]}
    below = without(inner[path[0]], path[1:]) if path[0] in inner else None
    return {**rest, path[0]: below} if below else rest


def at_path(value: object, path: list[str]) -> list[object]:
    """The data at a path of keys, in a list; [] where it is absent."""
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return []
        value = value[key]
    return [value]


@given(ROOTS, TREES, TREES, st.data())
def test_any_place_of_any_clean_merge_can_be_decided(
    base: dict[str, object], one: object, other: object, data: st.DataObject
) -> None:
    texts = [block(each) for each in (base, {**base, "a": one}, {**base, "c": other})]
    sides = [Contribution("A", texts[0], texts[1]), Contribution("B", texts[0], texts[2])]
    merged = merge(texts[0], sides).text
    assert merged is not None
    # Also at what the result has lost.
    places = sorted({at for text in (merged, *texts) for at in pointers(load(text))})
    pointer = data.draw(st.sampled_from(places))
    known = Contest(texts[0], sides)
    told = known.conflict(merged, pointer, "v: no")
    assert told is not None
    conflict = told[1]
    takes = ["base", *(side.branch for side in conflict.sides)]
    choices = [Resolution(take) for take in takes] + [Resolution(None, "{new: 1}")]
    for choice in choices:
        # Law 8: the record and the decision alone give the document again.
        again = Contest(texts[0], sides)
        settled = again.settled([Decision(conflict.id, conflict.path, choice)])
        assert [each.conflict.id for each in settled] == [conflict.id]
        written = load(again.written(merged, settled))
        path = conflict.path.split("/")[1:]
        if any(token.isdecimal() for token in path):
            continue
        side = next((each for each in conflict.sides if each.branch == choice.take), None)
        variant = conflict.base if side is None else side.variant
        chosen = [variant.value] if variant.present else []
        assert at_path(written, path) == ([{"new": 1}] if choice.text else chosen)
        assert without(written, path) == without(load(merged), path)
