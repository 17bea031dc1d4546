"""The refusal of a merge with more conflicts than a review can hold, and the way on."""

from __future__ import annotations

from collections.abc import Sequence

from bps.candidates.merging import MOST_CONFLICTS
from bps.core.errors import LimitExceeded


def too_many_conflicts(plan: str, rr_plans: Sequence[str]) -> LimitExceeded:
    """`rr_plans` are those that have a part in the conflicts."""
    msg = (
        f"Merging {', '.join(rr_plans)} into what is canonical in {plan} meets more than "
        f"{MOST_CONFLICTS:,} conflicts; no review can hold so many."
    )
    advice = (
        "Rebase it (`bps branch rebase`), repair it on what is canonical and submit it: promoted "
        "alone it needs no merge then."
    )
    if len(rr_plans) > 1:
        advice = (
            "Promote one of them by name; rebase the others (`bps branch rebase`), repair them on "
            "what is canonical then, and promote each alone: that needs no merge."
        )
    refused = LimitExceeded(msg, limit="conflicts", allowed=MOST_CONFLICTS, rr_plans=list(rr_plans))
    return refused.advising(advice)
