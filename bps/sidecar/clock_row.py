"""The row `clock` of `bps doctor`, asked of a running sidecar."""

from __future__ import annotations

from collections.abc import Iterable

from bps.api.views import CheckView
from bps.core.error_catalogue import next_action_of
from bps.leadership.clock_check import HOLD_MS, Offset
from bps.leadership.modes import Hold, Reason


def clock_row(offset: Offset | None, holds: Iterable[Hold]) -> CheckView:
    """How far this host's clock is from the others'; failed where writing is held for it.

    Of two clocks that disagree one is in doubt; the sidecar with the other one warns.
    """
    for hold in holds:
        if hold.reason is Reason.CLOCK_JUMP:
            return CheckView(
                check="clock",
                status="failed",
                detail=hold.error.message,
                next_action=next_action_of(hold.error),
            )
    if offset is None:
        detail = "alone: no other sidecar's clock is known"
        return CheckView(check="clock", status="ok", detail=detail, next_action="")
    side = "behind" if offset.ahead_ms < 0 else "ahead of"
    detail = f"{abs(offset.ahead_ms)} ms {side} {offset.compared_with}"
    if abs(offset.ahead_ms) <= HOLD_MS:
        return CheckView(check="clock", status="ok", detail=detail, next_action="")
    action = f"Compare the clock of this host with that of {offset.compared_with}."
    return CheckView(check="clock", status="warning", detail=detail, next_action=action)
