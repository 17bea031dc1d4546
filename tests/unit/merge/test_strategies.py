"""Which declared strategy decides at a place: a trie, against the plain rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bps.merge.strategies import EMPTY, NAMES, Strategies, Strategy

SEGMENTS = st.sampled_from(["a", "b", "c~1d", "0", "*"])
PATTERNS = st.lists(SEGMENTS, max_size=4).map(lambda parts: "".join(f"/{each}" for each in parts))
DECLARED = st.dictionaries(PATTERNS, st.sampled_from(NAMES).map(Strategy), max_size=12)
PATHS = st.lists(st.sampled_from(["a", "b", "c~1d", "0", "z", ""]), max_size=5).map(tuple)


def plainly(declared: dict[str, Strategy], path: tuple[str, ...]) -> Strategy | None:
    """Of all patterns that fit, the one whose literals stand furthest to the left."""
    fitting = [
        segments
        for segments in (tuple(pattern.split("/")[1:]) for pattern in declared)
        if len(segments) == len(path)
        and all(want in {"*", have} for want, have in zip(segments, path, strict=True))
    ]
    if not fitting:
        return None
    best = min(fitting, key=lambda segments: [segment == "*" for segment in segments])
    return declared["".join(f"/{segment}" for segment in best)]


@given(DECLARED, st.lists(PATHS, max_size=8))
def test_the_most_specific_pattern_decides(
    declared: dict[str, Strategy], paths: list[tuple[str, ...]]
) -> None:
    strategies = Strategies(declared)
    assert bool(strategies) is bool(declared)
    for path in [*paths, *paths]:
        assert strategies.at(path) == plainly(declared, path)


@given(DECLARED, PATHS)
def test_a_cursor_is_false_exactly_where_nothing_is_declared_here_or_below(
    declared: dict[str, Strategy], path: tuple[str, ...]
) -> None:
    cursor = Strategies(declared).root
    for segment in path:
        cursor = cursor.child(segment)
    below = [
        pattern
        for pattern in declared
        if len(pattern.split("/")) > len(path)
        and all(
            want in {"*", have} for want, have in zip(pattern.split("/")[1:], path, strict=False)
        )
    ]
    assert bool(cursor) is bool(below)


def test_where_nothing_is_declared_one_cursor_stands_for_all_places() -> None:
    assert Strategies().root is EMPTY
    cursor = Strategies({"/a": Strategy("set")}).root
    assert cursor.child("b") is EMPTY
    assert cursor.child("a").child("x") is EMPTY
    assert EMPTY.child("a") is EMPTY
    assert EMPTY.strategy is None


def test_a_long_list_makes_one_cursor() -> None:
    listed = Strategies({"/a/*/tags": Strategy("set")}).root.child("a")
    assert len({id(listed.child(str(index))) for index in range(1_000)}) == 1
    assert listed.child("7").child("tags").strategy == Strategy("set")


def test_a_place_that_stands_alone_is_not_reached_by_a_star() -> None:
    declared = {"/*": Strategy("set"), "/*/x": Strategy("text"), "/b/y": Strategy("atomic")}
    strategies = Strategies(declared, ["/a", "/b"])
    assert strategies.at(("z",)) == Strategy("set")
    assert strategies.at(("z", "x")) == Strategy("text")
    assert strategies.root.child("a") is EMPTY
    assert strategies.at(("b",)) is None
    assert strategies.at(("b", "x")) is None
    assert strategies.at(("b", "y")) == Strategy("atomic")
