"""When a clock may stamp events: judged by other clocks, its own past and the store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.leadership.clock_check import (
    HOLD_MS,
    RELEASE_MS,
    ClockBounds,
    Doubt,
    Evidence,
    PeerClock,
    judge,
)

BOUNDS = ClockBounds()
HOUR_MS = 3_600_000


def peer(ahead_ms: int, *, moved_ms: int = 0, elder: bool = False, name: str = "b") -> PeerClock:
    return PeerClock(name, ahead_ms, moved_ms, elder)


def ahead_ms(evidence: Evidence, *, held: bool = False) -> int | None:
    doubt = judge(evidence, BOUNDS, held=held)
    return doubt.ahead_ms if doubt else None


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ((0, 0), None),
        ((-2_001, -2_001), 2_001),
        ((-2_000, -2_000), None),
        ((60_000, 61_000), -60_000),
        ((0, 86_400_000), None),
        ((0, 86_400_000, -86_400_000), None),
        ((-9_000, -9_000, -9_000, 50_000), 9_000),
    ],
)
def test_of_three_clocks_or_more_the_median_judges(
    others: tuple[int, ...], expected: int | None
) -> None:
    peers = [peer(each) for each in others]
    assert ahead_ms(Evidence(0, peers)) == expected
    # What the majority says outweighs a jump: it may have been the correction.
    assert ahead_ms(Evidence(10 * HOLD_MS, peers)) == expected


def test_two_halves_that_disagree_have_no_majority_and_no_successor() -> None:
    doubt = judge(Evidence(0, [peer(0), peer(60_000), peer(60_000)]), BOUNDS, held=False)
    assert doubt == Doubt(-30_000, "the median of 4 sidecars", successor=False)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=8))
def test_a_doubted_clock_is_always_far_from_half_of_the_others(others: list[int]) -> None:
    doubt = judge(Evidence(0, [peer(each) for each in others]), BOUNDS, held=False)
    if doubt is not None:
        same_side = [each for each in others if each * doubt.ahead_ms < 0]
        assert len(same_side) * 2 >= len(others)


def test_of_two_the_one_that_jumped_is_in_doubt() -> None:
    jumped = Evidence(5_000, [peer(-5_000)])
    assert judge(jumped, BOUNDS, held=False) == Doubt(5_000, "sidecar b", successor=True)
    assert ahead_ms(Evidence(0, [peer(5_000, moved_ms=5_000)])) is None
    assert ahead_ms(Evidence(0, [peer(5_000, moved_ms=5_000, elder=True)])) is None


def test_of_two_that_never_jumped_the_later_one_is_in_doubt() -> None:
    assert ahead_ms(Evidence(0, [peer(5_000, elder=True)])) == -5_000
    assert ahead_ms(Evidence(0, [peer(5_000)])) is None


@pytest.mark.parametrize(
    ("jumped_ms", "held", "expected"),
    [
        (HOLD_MS, False, None),
        (HOLD_MS + 1, False, HOLD_MS + 1),
        (-HOLD_MS - 1, False, -HOLD_MS - 1),
        (RELEASE_MS + 1, True, RELEASE_MS + 1),
        (RELEASE_MS, True, None),
    ],
)
def test_alone_a_jump_is_a_doubt_until_it_is_taken_back(
    jumped_ms: int, held: bool, expected: int | None
) -> None:
    assert ahead_ms(Evidence(jumped_ms), held=held) == expected


@pytest.mark.parametrize(
    ("of_store_ms", "expected"),
    [
        (None, None),
        (BOUNDS.max_ahead_s * 1_000, None),
        (BOUNDS.max_ahead_s * 1_000 + 1, BOUNDS.max_ahead_s * 1_000 + 1),
        (-HOUR_MS, None),
        (-HOUR_MS - 1, -HOUR_MS - 1),
    ],
)
def test_alone_the_newest_checkpoint_bounds_both_ways(
    of_store_ms: int | None, expected: int | None
) -> None:
    evidence = Evidence(0, (), of_store_ms)
    assert ahead_ms(evidence) == expected
    assert ahead_ms(Evidence(0, [peer(0)], of_store_ms)) is None
