"""The circuit breaker as a table of what it was, what happened, and what it is then."""

from __future__ import annotations

import pytest

from bps.store.breaker import FAILURES, FIRST_S, LONGEST_S, Breaker, State

CLOSED = Breaker()
NEARLY = Breaker(failures=FAILURES - 1)
OPEN = Breaker(State.OPEN, FAILURES, 1, until_s=10.0)
HALF = Breaker(State.HALF_OPEN, FAILURES, 1, until_s=10.0)


@pytest.mark.parametrize(
    ("before", "now_s", "after"),
    [
        (CLOSED, 0.0, CLOSED),
        (NEARLY, 0.0, NEARLY),
        (OPEN, 9.9, None),
        (OPEN, 10.0, HALF),
        (HALF, 10.0, None),
        (HALF, 99.0, None),
    ],
)
def test_who_is_let_through(before: Breaker, now_s: float, after: Breaker | None) -> None:
    assert before.asked(now_s) == after


@pytest.mark.parametrize(
    ("before", "jitter", "after"),
    [
        (CLOSED, 1.0, Breaker(failures=1)),
        (NEARLY, 1.0, Breaker(State.OPEN, FAILURES, 1, 20.0 + FIRST_S)),
        (NEARLY, 0.0, Breaker(State.OPEN, FAILURES, 1, 20.0 + FIRST_S / 2)),
        (OPEN, 1.0, OPEN),
        (HALF, 1.0, Breaker(State.OPEN, FAILURES + 1, 2, 20.0 + 2 * FIRST_S)),
        (
            Breaker(State.HALF_OPEN, 50, 40, 10.0),
            1.0,
            Breaker(State.OPEN, 51, 41, 20.0 + LONGEST_S),
        ),
    ],
)
def test_a_failure(before: Breaker, jitter: float, after: Breaker) -> None:
    assert before.failed(20.0, jitter) == after


@pytest.mark.parametrize("before", [CLOSED, NEARLY, OPEN, HALF])
def test_an_answer_closes_it(before: Breaker) -> None:
    assert before.answered() == CLOSED


@pytest.mark.parametrize(
    ("before", "after"),
    [(CLOSED, CLOSED), (OPEN, OPEN), (HALF, Breaker(State.OPEN, FAILURES, 1, 12.0))],
)
def test_a_trial_that_nobody_waits_for_lets_the_next_one_try(
    before: Breaker, after: Breaker
) -> None:
    assert before.gave_up(12.0) == after
