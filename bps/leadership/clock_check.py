"""Whether the wall clock of this host may stamp events: a pure judgement over evidence (R13).

Three clocks or more have a majority. Of two that disagree, the one that jumped is in doubt, else
the one that came later. A lone one is held against its own past and the newest checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

HOLD_MS: Final = 2_000
"""Further off than this, a clock is in doubt."""
RELEASE_MS: Final = 1_000
"""It is trusted again only within this, so that a clock at the bound does not flap."""


@dataclass(frozen=True, slots=True)
class ClockBounds:
    """How far a lone clock may be from the newest checkpoint when its process begins.

    Nobody wrote while all sidecars were stopped, so ahead is wide; behind is never right.
    """

    max_ahead_s: int = 30 * 86_400
    max_behind_s: int = 3_600


@dataclass(frozen=True, slots=True)
class PeerClock:
    """Another living sidecar's clock.

    `ahead_ms`: of ours. `moved_ms`: since both agreed, or it was first seen. `elder`: it lived here
    before this sidecar.
    """

    name: str
    ahead_ms: int
    moved_ms: int
    elder: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a judgement needs.

    `jumped_ms`: wall clock minus the time that passed since it was trusted last.
    `ahead_of_store_ms`: of the newest checkpoint; None where there is none, or where this process
    was trusted before: what passed since is known better by `jumped_ms`.
    """

    jumped_ms: int
    peers: Sequence[PeerClock] = ()
    ahead_of_store_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """The clock is `ahead_ms` (negative: behind) of `compared_with`.

    `successor`: a living sidecar has a clock that is not in doubt, and can lead instead.
    """

    ahead_ms: int
    compared_with: str
    successor: bool = False


@dataclass(frozen=True, slots=True)
class Offset:
    """This host's clock is `ahead_ms` (negative: behind) of `compared_with`."""

    ahead_ms: int
    compared_with: str


def offset(peers: Sequence[PeerClock]) -> Offset | None:
    """How far this host's clock is from the median, or from the only other; None: it is alone."""
    if not peers:
        return None
    if len(peers) == 1:
        return Offset(-peers[0].ahead_ms, f"sidecar {peers[0].name}")
    return Offset(-_middle_ms(peers), f"the median of {len(peers) + 1} sidecars")


def judge(evidence: Evidence, bounds: ClockBounds, *, held: bool) -> Doubt | None:
    """The doubt in this host's clock; None where it may stamp. `held`: it is in doubt by now."""
    limit_ms = RELEASE_MS if held else HOLD_MS
    if len(evidence.peers) > 1:
        return _by_majority(evidence.peers, limit_ms)
    if evidence.peers:
        return _of_two(evidence, evidence.peers[0], limit_ms)
    return _alone(evidence, bounds, limit_ms)


def _by_majority(peers: Sequence[PeerClock], limit_ms: int) -> Doubt | None:
    middle_ms = _middle_ms(peers)
    if abs(middle_ms) <= limit_ms:
        return None
    sane = any(abs(peer.ahead_ms - middle_ms) <= HOLD_MS for peer in peers)
    return Doubt(-middle_ms, f"the median of {len(peers) + 1} sidecars", successor=sane)


def _middle_ms(peers: Sequence[PeerClock]) -> int:
    """How far the median of all clocks, this host's too, is ahead of this host's."""
    return round(median([0, *(peer.ahead_ms for peer in peers)]))


def _of_two(evidence: Evidence, peer: PeerClock, limit_ms: int) -> Doubt | None:
    if abs(peer.ahead_ms) <= limit_ms:
        return None
    here = abs(evidence.jumped_ms) > limit_ms
    there = abs(peer.moved_ms) > HOLD_MS
    if here or (peer.elder and not there):
        return Doubt(-peer.ahead_ms, f"sidecar {peer.name}", successor=True)
    return None


def _alone(evidence: Evidence, bounds: ClockBounds, limit_ms: int) -> Doubt | None:
    if abs(evidence.jumped_ms) > limit_ms:
        return Doubt(evidence.jumped_ms, "the time that passed here")
    ahead_ms = evidence.ahead_of_store_ms
    if ahead_ms is None or -bounds.max_behind_s <= ahead_ms / 1_000 <= bounds.max_ahead_s:
        return None
    return Doubt(ahead_ms, "the newest checkpoint")
