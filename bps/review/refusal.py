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
    said = f"{said_of_waiting(review, rr_plans, conflicts)}."
    return _refusal(said, review, rr_plans, conflicts, findings).advising(next_of(review))


def would_conflict(
    review: str, rr_plans: Sequence[str], conflicts: int, findings: Sequence[str] = ()
) -> MergeConflict:
    """The same of a dry run: the review that it names was not written."""
    who = "1 RR-plan" if len(rr_plans) == 1 else f"{len(rr_plans)} RR-plans"
    said = f"{who} would wait in {review} for a person to decide {_counted(conflicts)}."
    return _refusal(said, review, rr_plans, conflicts, findings).advising(
        f"A dry run writes no review: promote without it, then `bps review show {review}`; "
        "a reviewer decides there."
    )


def _refusal(
    said: str, review: str, rr_plans: Sequence[str], conflicts: int, findings: Sequence[str]
) -> MergeConflict:
    return MergeConflict(
        said,
        review=review,
        rr_plans=list(rr_plans[:SHOWN]),
        conflicts=conflicts,
        findings=list(findings),
    )


def said_of_waiting(review: str, rr_plans: Sequence[str], conflicts: int) -> str:
    """Who waits for what, without a full stop."""
    who = "1 RR-plan waits" if len(rr_plans) == 1 else f"{len(rr_plans)} RR-plans wait"
    return f"{who} in {review} for a person to decide {_counted(conflicts)}"


def _counted(conflicts: int) -> str:
    if not conflicts:
        return "what was found"
    return "1 conflict" if conflicts == 1 else f"{conflicts} conflicts"


def next_of(review: str) -> str:
    """What to do about it."""
    return f"Look at it with `bps review show {review}`; a reviewer decides there."
