"""Which writes run, wait or are refused: a line of bounded length, judged by deadlines. Pure.

A write that cannot make its deadline is refused before it costs anything; else a service that gets
more than it can do would do only what nobody waits for any more.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from bps.core.errors import Overloaded

_WEIGHT = 0.1
"""Of the newest write in the moving average of what writes take."""
_MAX_RETRY_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many writes are in flight at once, and how many wait behind them."""

    in_flight: int = 64
    waiting: int = 256

    @property
    def share(self) -> int:
        """How many places in the line one principal can hold."""
        return max(self.waiting // 2, 1)


@dataclass(eq=False, slots=True)
class Place:
    """One write in the line; `deadline_s` is an instant of the monotonic clock."""

    principal: str
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Who goes on when a write has ended: those that start, and those that are too late."""

    started: tuple[Place, ...] = ()
    late: tuple[Place, ...] = ()


class Line:
    """First in, first out. All instants and spans are in seconds; the caller has the clock."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.in_flight = 0
        self.service_s = 0.0
        self._waiting: dict[Place, None] = {}
        self._of_principal: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def drained_s(self) -> float:
        """How long a write waits that comes now, by what writes took lately."""
        if self.in_flight < self.bounds.in_flight:
            return 0.0
        return (len(self._waiting) + 1) * self.service_s / self.bounds.in_flight

    def check(self, principal: str, now_s: float, deadline_s: float) -> None:
        """Refuse what `arrive` would refuse; nothing changes.

        Raises:
            Overloaded: the line is full, the principal has its share of it, or the wait is longer
                than the deadline allows. facts: retry_after_s.
        """
        if now_s >= deadline_s:
            raise self.overloaded("The deadline passed before the write was carried out.")
        if self.in_flight < self.bounds.in_flight:
            # However slow writes were lately: only those that run can show that it is over.
            return
        if len(self._waiting) >= self.bounds.waiting:
            raise self.overloaded(f"{self.bounds.waiting} writes wait already.")
        if self._of_principal[principal] >= self.bounds.share:
            raise self.overloaded(
                f"{self.bounds.share} writes of {principal} wait already; that is its share."
            )
        if now_s + self.drained_s + self.service_s > deadline_s:
            raise self.overloaded("So many writes wait that the deadline would pass.")

    def arrive(self, place: Place, now_s: float) -> bool:
        """Whether the write starts at once; else it waits for a `Turn`. Raises as `check`."""
        self.check(place.principal, now_s, place.deadline_s)
        if self.in_flight < self.bounds.in_flight:
            self.in_flight += 1
            return True
        self._waiting[place] = None
        self._of_principal[place.principal] += 1
        return False

    def gave_up(self, place: Place) -> None:
        """A write that waited is wanted no more."""
        self._take(place)

    def ended(self, now_s: float, took_s: float) -> Turn:
        """A write that ran has ended after `took_s`; the next ones, judged again."""
        self.in_flight -= 1
        self.service_s += (took_s - self.service_s) * (_WEIGHT if self.service_s else 1.0)
        started: list[Place] = []
        late: list[Place] = []
        while self._waiting and self.in_flight < self.bounds.in_flight:
            place = next(iter(self._waiting))
            self._take(place)
            if now_s + self.service_s > place.deadline_s:
                late.append(place)
            else:
                self.in_flight += 1
                started.append(place)
        return Turn(tuple(started), tuple(late))

    def overloaded(self, message: str) -> Overloaded:
        """The refusal, with the whole seconds in which the line is gone."""
        after_s = min(max(math.ceil(self.drained_s), 1), _MAX_RETRY_AFTER_S)
        return Overloaded(f"{message} Nothing was written.", retry_after_s=after_s)

    def _take(self, place: Place) -> None:
        del self._waiting[place]
        self._of_principal[place.principal] -= 1
        if not self._of_principal[place.principal]:
            del self._of_principal[place.principal]
