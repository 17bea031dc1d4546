"""How long a lease can be relied on, seen from its holder's monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass

SAFETY_MARGIN = 0.1
"""Share of the TTL given up for the difference in speed of two clocks."""


@dataclass(frozen=True, slots=True)
class LeaseValidity:
    """A lease of `ttl_s` counted from `sent_s`, when its request was *sent* (R12).

    The store counts from when it got the request, which is later; so this ends first.
    """

    sent_s: float
    ttl_s: int

    def holds(self, now_s: float) -> bool:
        """Whether the lease certainly is alive at `now_s`."""
        return now_s < self.sent_s + self.ttl_s * (1 - SAFETY_MARGIN)

    def renewed(self, sent_s: float, ttl_s: int) -> LeaseValidity:
        """After a keepalive; an expired validity stays expired: a loss is never resumed."""
        return LeaseValidity(sent_s, ttl_s) if self.holds(sent_s) else self
