"""What a sidecar may do now, and why not more: a pure verdict over facts (R13).

No transitions are stored: the mode follows from what is the case, so that no missed event can leave
it wrong. Source: design, "Modes and leadership"; patroni's `failover_limitation()` has the shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from bps.core.errors import (
    BpsError,
    Contended,
    IntegrityError,
    LeadershipError,
    NoSpace,
    OutcomeUnknown,
    StoreRolledBack,
    Unavailable,
)


class Mode(StrEnum):
    """What the sidecar can do now."""

    STARTING = "STARTING"
    RECOVERING = "RECOVERING"
    READ_WRITE = "READ_WRITE"
    READ_ONLY = "READ_ONLY"


class Reason(StrEnum):
    """Why it is read-only; in the order of weight: the first that holds is the one that is told."""

    DRAINING = "draining"
    STORE_ROLLED_BACK = "store_rolled_back"
    STORE_UNREADABLE = "store_unreadable"
    UNKNOWN_STORE_ERROR = "unknown_store_error"
    QUORUM_LOST = "quorum_lost"
    NOT_LEADER = "not_leader"
    OPERATOR = "operator"
    CLOCK_JUMP = "clock_jump"
    NO_SPACE = "no_space"


class Term(Enum):
    """How far the present term of leadership has come."""

    NONE = "none"
    RECOVERING = "recovering"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that forbids writing while it lasts; `error` is what a refused writer is told."""

    reason: Reason
    error: BpsError


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the mode depends on. `ended`: why the last campaign or term came to nothing."""

    term: Term = Term.NONE
    ended: Hold | None = None
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict: the mode, and the weightiest hold where it is READ_ONLY."""

    mode: Mode
    hold: Hold | None = None

    @property
    def reason(self) -> Reason | None:
        """Why it is read-only."""
        return self.hold.reason if self.hold is not None else None


def standing(facts: Facts, despite: Iterable[Reason] = ()) -> Standing:
    """The mode that follows from `facts`, for a command that may pass the reasons in `despite`."""
    found = holds_of(facts, despite)
    return Standing(Mode.READ_ONLY, found[0]) if found else Standing(_UNHINDERED[facts.term])


def holds_of(facts: Facts, despite: Iterable[Reason] = ()) -> tuple[Hold, ...]:
    """All that forbids writing, the weightiest first; no reason passes the lack of a term."""
    passed = frozenset(despite)
    found = [hold for hold in facts.holds if hold.reason not in passed]
    if facts.term is Term.NONE and facts.ended is not None:
        found.append(facts.ended)
    return tuple(sorted(found, key=lambda hold: _WEIGHT[hold.reason]))


def reason_of(error: BpsError) -> Reason:
    """Why an error of the store or of the election means read-only.

    Whatever is not known by name is `unknown_store_error`: never taken for harmless.
    """
    for kind, reason in _BY_ERROR:
        if isinstance(error, kind):
            return reason
    return Reason.UNKNOWN_STORE_ERROR


_WEIGHT: Final = {reason: weight for weight, reason in enumerate(Reason)}
_UNHINDERED: Final = {
    Term.NONE: Mode.STARTING,
    Term.RECOVERING: Mode.RECOVERING,
    Term.HELD: Mode.READ_WRITE,
}
_BY_ERROR: Final[tuple[tuple[type[BpsError], Reason], ...]] = (
    (StoreRolledBack, Reason.STORE_ROLLED_BACK),
    (IntegrityError, Reason.STORE_UNREADABLE),
    (LeadershipError, Reason.NOT_LEADER),
    (Contended, Reason.NOT_LEADER),
    (OutcomeUnknown, Reason.QUORUM_LOST),
    (NoSpace, Reason.NO_SPACE),
    (Unavailable, Reason.QUORUM_LOST),
)
