"""Digests of many clocks of one plan, of which each resembles one before it.

Rendering 201 counters as text is a third of a replay's time; so the text of each actor's last
clock is kept, and only the counters that differ from it are rendered anew.
"""

from __future__ import annotations

from itertools import compress
from operator import is_not

from bps.core.codec import canonical_json, sha256_hex, to_decimals
from bps.core.vector_clock import Clock


class ClockDigests:
    """Memory: two maps of at most 256 entries for each actor of the plan."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Clock, dict[str, str]]] = {}

    def digest(self, actor: str, clock: Clock) -> str:
        """The same as `bps.plans.book.clock_digest(clock)`; `actor` only says what resembles it.

        `clock` must not be changed later.
        """
        before, text = self._last.get(actor, ({}, {}))
        if list(before) == list(clock):
            for each in compress(clock, map(is_not, clock.values(), before.values())):
                text[each] = str(clock[each])
        else:
            # Sorted here, so that encoding it again and again finds it sorted.
            text = dict(sorted(to_decimals(clock).items()))
        self._last[actor] = clock, text
        return sha256_hex(canonical_json(text))
