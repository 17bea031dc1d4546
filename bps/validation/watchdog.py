"""Ends the worker where a validator hangs: a thread of faulthandler that needs no interpreter lock.

Starting and ending that thread costs as much as a small validator, so that it is left running from
one validator to the next, and never while there is nothing to judge.
"""

from __future__ import annotations

import faulthandler
import time

_EARLY_S = 0.03
"""It may end a validator by so much too early; the pool knows limits no better."""


class Watchdog:
    """At most one is running; at its time it prints where the process hangs and exits."""

    def __init__(self) -> None:
        self._ends_at: float | None = None

    def begin(self, limit_s: float) -> None:
        """From now on, the process ends in `limit_s`."""
        ends_at = time.monotonic() + limit_s
        if self._ends_at is None or not ends_at - _EARLY_S <= self._ends_at <= ends_at:
            faulthandler.dump_traceback_later(limit_s, exit=True)
            self._ends_at = ends_at

    @property
    def left_s(self) -> float | None:
        """Until it ends the process; None where it is not running."""
        return None if self._ends_at is None else max(_EARLY_S, self._ends_at - time.monotonic())

    def pause(self, between_s: float) -> None:
        """A validator is done, and the next begins within `between_s`, or all is over."""
        if self._ends_at is not None and self._ends_at - time.monotonic() < between_s:
            self.end()

    def end(self) -> None:
        """Nothing is watched until the next `begin`."""
        if self._ends_at is not None:
            faulthandler.cancel_dump_traceback_later()
            self._ends_at = None
