"""Vector clocks: a join-semilattice, and one total order that extends causality (R11).

A clock maps an actor (`canonical` or a branch id) to its counter; an absent actor has 0.
Clocks are plain immutable mappings, so that records hold them as they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from bps.core.errors import LimitExceeded

MAX_ENTRIES = 256
Clock: TypeAlias = Mapping[str, int]


def tick(clock: Clock, actor: str) -> dict[str, int]:
    """`clock` with `actor`'s counter one higher. Raises LimitExceeded over 256 entries."""
    return _bounded({**clock, actor: clock.get(actor, 0) + 1})


def join(left: Clock, right: Clock) -> dict[str, int]:
    """The least upper bound: the greater counter of each actor. Raises LimitExceeded."""
    joined = dict(left)
    for actor, counter in right.items():
        if counter > joined.get(actor, 0):
            joined[actor] = counter
    return _bounded(joined)


def includes(later: Clock, earlier: Clock) -> bool:
    """Whether `later` knows all that `earlier` knows (`earlier` <= `later`)."""
    return all(later.get(actor, 0) >= counter for actor, counter in earlier.items())


def concurrent(left: Clock, right: Clock) -> bool:
    """Whether neither includes the other."""
    return not includes(left, right) and not includes(right, left)


def order_key(clock: Clock, branch_id: str) -> tuple[int, str]:
    """The total order used everywhere: (sum of components, branch id).

    A causally later clock has a greater sum, so the order extends causality; ties are concurrent.
    """
    return sum(clock.values()), branch_id


def _bounded(clock: dict[str, int]) -> dict[str, int]:
    if len(clock) > MAX_ENTRIES:
        msg = f"A vector clock would have {len(clock)} entries; the limit is {MAX_ENTRIES}."
        raise LimitExceeded(msg, limit="vector_clock_entries", value=len(clock))
    return clock
