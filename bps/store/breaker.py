"""When a store that does not answer is asked again: a circuit breaker. Pure; the caller has time.

Closed, reads pass. After some failures in a row it opens: reads are refused at once. When its time
is up, one read tries (half-open): its success closes, its failure opens for twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

FAILURES: Final = 5
"""So many in a row open it."""
FIRST_S: Final = 0.5
LONGEST_S: Final = 4.0


class State(StrEnum):
    """Whether reads pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """`until_s` is the instant to which it is open; `openings` how often it opened in a row."""

    state: State = State.CLOSED
    failures: int = 0
    openings: int = 0
    until_s: float = 0.0

    def asked(self, now_s: float) -> Breaker | None:
        """The breaker after a read was let through; None: it is refused."""
        if self.state is State.CLOSED:
            return self
        if self.state is State.OPEN and now_s >= self.until_s:
            return replace(self, state=State.HALF_OPEN)
        return None

    def answered(self) -> Breaker:
        """A read was answered, by whatever: the store is there."""
        return Breaker()

    def failed(self, now_s: float, jitter: float) -> Breaker:
        """A read was not answered. `jitter` is from 0 to 1, so that not all come at once."""
        if self.state is State.OPEN:
            # It was let through before the others failed.
            return self
        failures = self.failures + 1
        if self.state is State.CLOSED and failures < FAILURES:
            return replace(self, failures=failures)
        pause_s = min(FIRST_S * 2**self.openings, LONGEST_S) * (0.5 + jitter / 2)
        return Breaker(State.OPEN, failures, self.openings + 1, now_s + pause_s)

    def gave_up(self, now_s: float) -> Breaker:
        """Who asked went away before there was an answer; another one may try at once."""
        if self.state is State.HALF_OPEN:
            return replace(self, state=State.OPEN, until_s=now_s)
        return self
