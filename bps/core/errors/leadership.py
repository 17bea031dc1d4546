"""This process may not write now."""

from __future__ import annotations

from bps.core.errors.base import BpsError


class LeadershipError(BpsError):
    """This process may not write now."""

    code = "LEADERSHIP_ERROR"
    retryable = True


class NotLeader(LeadershipError):
    """Another process holds the leadership (R12)."""

    code = "NOT_LEADER"


class FencedOut(LeadershipError):
    """The fence in a write transaction was gone: this process was leader and is no more (R12)."""

    code = "FENCED_OUT"


class LeaseLost(LeadershipError):
    """The own lease may have expired, judged from before the last keepalive was sent (R12)."""

    code = "LEASE_LOST"
