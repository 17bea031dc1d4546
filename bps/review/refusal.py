"""The refusal of a promotion that leads to a review."""

from __future__ import annotations

from collections.abc import Sequence

from bps.core.errors import MergeConflict

SHOWN = 20
"""How many of a long list a refusal names."""


def in_conflict(
    review: str, rr_plans: Sequence[str], conflicts: int, findings: Sequence[str] = ()
) -> MergeConflict:
    """The refusal that names the review."""
    counted = f"{conflicts} conflict" if conflicts == 1 else f"{conflicts} conflicts"
    what = counted if conflicts else "what was found"
    who = "1 RR-plan waits" if len(rr_plans) == 1 else f"{len(rr_plans)} RR-plans wait"
    msg = f"{who} in {review} for a person to decide {what}."
    return MergeConflict(
        msg,
        review=review,
        rr_plans=list(rr_plans[:SHOWN]),
        conflicts=conflicts,
        findings=list(findings),
    ).advising(f"Look at it with `bps review show {review}`; a reviewer decides there.")
