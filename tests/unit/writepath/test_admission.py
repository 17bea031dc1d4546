"""Who runs, waits and is refused, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bps.core.errors import Overloaded
from bps.writepath.admission import Bounds, Line, Place

FAR_S = 1_000.0


def line(
    *, in_flight: int = 2, waiting: int = 4, runs: int = 0, waits: str = "", service_s: float = 0.0
) -> Line:
    """`runs` writes run, and one waits for each letter of `waits`, its principal."""
    made = Line(Bounds(in_flight, waiting))
    for _ in range(runs):
        assert made.arrive(Place("runner", FAR_S), 0.0)
    for principal in waits:
        assert not made.arrive(Place(principal, FAR_S), 0.0)
    made.service_s = service_s
    return made


@pytest.mark.parametrize(
    ("state", "principal", "deadline_s", "verdict"),
    [
        (line(), "a", 1.0, "runs"),
        (line(), "a", 0.0, "deadline passed"),
        (line(runs=1, service_s=60.0), "a", 1.0, "runs"),
        (line(runs=2), "a", 1.0, "waits"),
        (line(runs=2, waits="aa"), "a", 1.0, "its share"),
        (line(runs=2, waits="aa"), "b", 1.0, "waits"),
        (line(runs=2, waits="aabb"), "c", 1.0, "wait already"),
        # One waits before it: (1 + 1) * 0.4 / 2 until its turn, and 0.4 to be done.
        (line(runs=2, waits="b", service_s=0.4), "a", 0.81, "waits"),
        (line(runs=2, waits="b", service_s=0.4), "a", 0.79, "deadline would pass"),
    ],
)
def test_the_verdict_on_arrival(
    state: Line, principal: str, deadline_s: float, verdict: str
) -> None:
    before = state.in_flight, state.waiting
    if verdict in {"runs", "waits"}:
        state.check(principal, 0.0, deadline_s)
        assert state.arrive(Place(principal, deadline_s), 0.0) is (verdict == "runs")
        assert state.in_flight + state.waiting == sum(before) + 1
        return
    for refuse in (
        lambda: state.check(principal, 0.0, deadline_s),
        lambda: state.arrive(Place(principal, deadline_s), 0.0),
    ):
        with pytest.raises(Overloaded, match=verdict):
            refuse()
    assert (state.in_flight, state.waiting) == before


@pytest.mark.parametrize(
    ("service_s", "waits", "retry_after_s"), [(0.0, "", 1), (2.0, "ab", 3), (90.0, "ab", 10)]
)
def test_the_refusal_says_when_the_line_is_gone(
    service_s: float, waits: str, retry_after_s: int
) -> None:
    refusal = line(runs=2, waits=waits, service_s=service_s).overloaded("It is so.")
    assert refusal.facts == {"retry_after_s": retry_after_s}


def test_each_turn_is_judged_again() -> None:
    made = Line(Bounds(1, 4))
    assert made.arrive(Place("runner", FAR_S), 0.0)
    late, next_one = Place("a", 1.0), Place("a", FAR_S)
    assert not made.arrive(late, 0.0)
    assert not made.arrive(next_one, 0.0)
    turn = made.ended(5.0, 5.0)
    assert (turn.started, turn.late) == ((next_one,), (late,))
    assert (made.in_flight, made.waiting) == (1, 0)


def test_slow_writes_of_the_past_do_not_refuse_for_ever() -> None:
    made = line(in_flight=1, runs=1, service_s=0.0)
    made.ended(60.0, 60.0)
    for _ in range(100):
        assert made.arrive(Place("a", FAR_S), 60.0)
        made.ended(60.0, 0.01)
    assert made.service_s < 0.02


@dataclass
class Known:
    """What the model knows of the writes that wait, in their order."""

    waiting: list[Place] = field(default_factory=list)
    running: int = 0


class LineMachine(RuleBasedStateMachine):
    """Any order of arrivals, ends and departures, against a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds = Bounds(3, 6)
        self.line = Line(self.bounds)
        self.known = Known()
        self.now_s = 0.0

    @rule(principal=st.sampled_from("abc"), patience_s=st.floats(0.001, 5))
    def arrives(self, principal: str, patience_s: float) -> None:
        place = Place(principal, self.now_s + patience_s)
        try:
            runs = self.line.arrive(place, self.now_s)
        except Overloaded:
            assert self.known.running == self.bounds.in_flight
            return
        assert runs is (self.known.running < self.bounds.in_flight)
        if runs:
            self.known.running += 1
        else:
            self.known.waiting.append(place)

    @precondition(lambda self: self.known.running)
    @rule(took_s=st.floats(0, 2))
    def ends(self, took_s: float) -> None:
        self.now_s += took_s
        turn = self.line.ended(self.now_s, took_s)
        self.known.running += len(turn.started) - 1
        gone = {*turn.started, *turn.late}
        first = self.known.waiting[: len(gone)]
        assert set(first) == gone, "somebody was passed over"
        assert list(turn.started) == [place for place in first if place in turn.started]
        del self.known.waiting[: len(gone)]
        assert not self.known.waiting or self.known.running == self.bounds.in_flight

    @precondition(lambda self: self.known.waiting)
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(self.known.waiting))
        self.known.waiting.remove(place)
        self.line.gave_up(place)

    @invariant()
    def is_bounded_and_fair(self) -> None:
        assert self.line.in_flight == self.known.running <= self.bounds.in_flight
        assert self.line.waiting == len(self.known.waiting) <= self.bounds.waiting
        for principal in "abc":
            held = sum(place.principal == principal for place in self.known.waiting)
            assert held <= self.bounds.share


TestLine = LineMachine.TestCase


@given(waiting=st.integers(1, 20))
def test_a_share_is_half_and_never_nothing(waiting: int) -> None:
    assert Bounds(1, waiting).share == max(waiting // 2, 1)
