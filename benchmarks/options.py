"""What a run is asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds`: the time for the repeated part of each benchmark; set-up comes on top of it."""

    seconds: float
    seed: int
    full: bool


class Budget:
    """At least `least` rounds, then as many as fit into the time."""

    def __init__(self, seconds: float, *, least: int) -> None:
        self._end = monotonic() + seconds
        self._least = least
        self.rounds = 0

    def another(self) -> bool:
        """Whether one more round is to be run; counts it."""
        if self.rounds >= self._least and monotonic() >= self._end:
            return False
        self.rounds += 1
        return True


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)
