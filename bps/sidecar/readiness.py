"""What a sidecar says of itself at a glance: whether it serves, and who leads."""

from __future__ import annotations

from dataclasses import dataclass

from bps.leadership.modes import Reason
from bps.sidecar.feed import Feed
from bps.sidecar.peers import Peers
from bps.sidecar.presence import Presence
from bps.sidecar.terms import Terms

NAME_HELD = "name_held"
"""Why a restarted sidecar is not ready: its process before, which was killed, is still believed."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests are served here, and what the sidecar knows of the cluster."""

    ready: bool
    mode: str
    reason: str | None
    leader: str | None
    leader_url: str | None
    feed_revision: int
    feed_warm: bool


def readiness_of(
    terms: Terms, feed: Feed, presence: Presence, peers: Peers, *, draining: bool
) -> Readiness:
    """Ready once the first election has an answer and the watch stands, until it drains.

    Losing the quorum ends the watch and not the readiness: degraded reads are served.
    """
    degraded = feed.complete_s is not None and any(
        hold.reason is Reason.QUORUM_LOST for hold in terms.holds
    )
    waits, leader = presence.waits, peers.leader
    reason = terms.reason and terms.reason.value
    if draining or waits:
        reason = Reason.DRAINING.value if draining else NAME_HELD
    url = leader.url if leader is not None and leader.name == terms.leader else None
    return Readiness(
        ready=terms.is_decided and (feed.warm or degraded) and not draining and not waits,
        mode=terms.mode.value,
        reason=reason,
        leader=terms.leader,
        leader_url=url,
        feed_revision=feed.revision,
        feed_warm=feed.warm,
    )
