"""Whether the store still has a quorum, judged from when linearizable reads began and ended. Pure.

A read proves a quorum at no time before it *began*: so the age of the last proof is counted from
there, and a loss is seen `STALE_S` after it happened at the latest (R13).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bps.core.errors import (
    BpsError,
    NoSpace,
    OutcomeUnknown,
    QuorumLost,
    StoreError,
    StoreRefused,
    Unavailable,
)
from bps.leadership.modes import Hold, Reason

PERIOD_S: Final = 0.5
"""Between the beginnings of two probes."""
DEADLINE_S: Final = 1.0
"""Of one probe."""
STALE_S: Final = 2.0
"""Without a proof that is younger than this the quorum counts as lost."""
_AT_ONCE: Final = 2
"""So many answers "there is no leader" in a row are believed before the last proof is stale."""
_OF_THE_REQUEST: Final = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE"})


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probes have found; instants are seconds of the monotonic clock.

    `proven_s`: when the last probe that succeeded began, or the watching, where none has yet.
    `error`: of the last probe since, None where it succeeded. `leaderless`: how many probes in a
    row were answered that there is no quorum.
    """

    proven_s: float
    error: BpsError | None = None
    leaderless: int = 0

    def succeeded(self, begun_s: float) -> Probed:
        """After a probe that began at `begun_s` and was answered."""
        return Probed(max(begun_s, self.proven_s))

    def failed(self, error: BpsError) -> Probed:
        """After a probe that ended with `error`."""
        leaderless = self.leaderless + 1 if isinstance(error, QuorumLost) else 0
        return replace(self, error=error, leaderless=leaderless)

    def deadline_s(self, now_s: float) -> float:
        """How long the next probe may take: the verdict must not wait for it."""
        left_s = self.proven_s + STALE_S - now_s
        return min(left_s, DEADLINE_S) if left_s > 0 else DEADLINE_S

    def pause_s(self, begun_s: float, now_s: float) -> float:
        """How long after a probe that began at `begun_s` to wait: the verdict is due when stale."""
        pause_s = max(0.0, begun_s + PERIOD_S - now_s)
        left_s = self.proven_s + STALE_S - now_s
        return min(pause_s, left_s) if self.error is not None and left_s > 0 else pause_s


def verdict(probed: Probed, now_s: float) -> Hold | None:
    """What forbids writing at `now_s`; None: nothing that a probe can see."""
    error = probed.error
    if error is None:
        return None
    if not _is_silence(error):
        return Hold(Reason.UNKNOWN_STORE_ERROR, error)
    age_s = now_s - probed.proven_s
    if age_s < STALE_S and probed.leaderless < _AT_ONCE:
        return None
    msg = f"etcd has answered no linearizable read for {age_s:.1f} s: {error.message}"
    return Hold(Reason.QUORUM_LOST, QuorumLost(msg))


def is_unknown(error: BpsError) -> bool:
    """Whether a write met a failure of the store that has no name: never taken for harmless.

    Refusals of the request itself (its arguments, its size, its lease) say nothing of the store.
    """
    if isinstance(error, StoreRefused):
        return error.facts.get("grpc_code") not in _OF_THE_REQUEST
    return type(error) is StoreError


def _is_silence(error: BpsError) -> bool:
    """No answer, or none from a quorum. NoSpace never comes from a read, so it is unknown here."""
    known = isinstance(error, Unavailable | OutcomeUnknown)
    return known and not isinstance(error, NoSpace)
