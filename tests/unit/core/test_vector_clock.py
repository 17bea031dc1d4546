"""Vector clocks are a join-semilattice, and `order_key` is a total order on top of it (R11)."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bps.core.errors import LimitExceeded
from bps.core.vector_clock import MAX_ENTRIES, concurrent, includes, join, order_key, tick

actors = st.sampled_from(["canonical", "a", "b", "c", "d"])
clocks = st.dictionaries(actors, st.integers(1, 5))


@given(clocks)
def test_join_is_idempotent(a: dict[str, int]) -> None:
    assert join(a, a) == a
    assert join(a, {}) == join({}, a) == a


@given(clocks, clocks)
def test_join_is_commutative(a: dict[str, int], b: dict[str, int]) -> None:
    assert join(a, b) == join(b, a)


@given(clocks, clocks, clocks)
def test_join_is_associative(a: dict[str, int], b: dict[str, int], c: dict[str, int]) -> None:
    assert join(join(a, b), c) == join(a, join(b, c))


@given(clocks, clocks, clocks)
def test_join_is_the_least_upper_bound(
    a: dict[str, int], b: dict[str, int], c: dict[str, int]
) -> None:
    joined = join(a, b)
    assert includes(joined, a)
    assert includes(joined, b)
    if includes(c, a) and includes(c, b):
        assert includes(c, joined)


@given(clocks, actors)
def test_tick_moves_one_actor_up_by_one(a: dict[str, int], actor: str) -> None:
    ticked = tick(a, actor)
    assert includes(ticked, a)
    assert not includes(a, ticked)
    assert ticked[actor] == a.get(actor, 0) + 1
    assert {k: v for k, v in ticked.items() if k != actor} == {
        k: v for k, v in a.items() if k != actor
    }


@given(clocks, clocks, clocks)
def test_includes_is_a_partial_order(
    a: dict[str, int], b: dict[str, int], c: dict[str, int]
) -> None:
    assert includes(a, a)
    if includes(a, b) and includes(b, a):
        assert a == b
    if includes(a, b) and includes(b, c):
        assert includes(a, c)
    assert concurrent(a, b) == concurrent(b, a)
    assert concurrent(a, b) == (join(a, b) not in (a, b))


@given(clocks, clocks, actors, actors)
def test_the_order_extends_causality(
    a: dict[str, int], b: dict[str, int], first: str, second: str
) -> None:
    assume(includes(b, a) and a != b)
    assert order_key(a, first) < order_key(b, second)


@given(st.lists(st.tuples(clocks, st.uuids().map(str)), unique_by=lambda pair: pair[1]))
def test_the_order_is_total(placed: list[tuple[dict[str, int], str]]) -> None:
    keys = [order_key(clock, branch) for clock, branch in placed]
    assert len(set(keys)) == len(keys)


def test_operands_are_not_changed() -> None:
    a, b = {"a": 1}, {"b": 1}
    tick(a, "a")
    join(a, b)
    assert (a, b) == ({"a": 1}, {"b": 1})


def test_a_clock_has_at_most_256_entries() -> None:
    full = {str(i): 1 for i in range(MAX_ENTRIES)}
    assert len(tick(full, "0")) == MAX_ENTRIES
    assert join(full, full) == full
    with pytest.raises(LimitExceeded) as ticked:
        tick(full, "one more")
    assert ticked.value.facts == {"limit": "vector_clock_entries", "value": 257}
    with pytest.raises(LimitExceeded):
        join(full, {"one more": 1})
