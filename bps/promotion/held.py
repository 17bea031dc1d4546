"""What an answer says of RR-plans that are held; it goes into the operation's record."""

from __future__ import annotations

from collections.abc import Sequence

from bps.candidates.candidate import Held
from bps.plans.reviews import Review

MAX_TOLD = 10
"""Held RR-plans that an answer gives the reason of; the rest are counted and named."""
MAX_WHY_CHARACTERS = 300


def said_of_held(held: Sequence[Held], before: Review | None, after: Review | None) -> list[str]:
    """One sentence for each of the first 10, and one for the rest.

    `before` and `after` are the open review before and after the act: who left it is told.
    """
    left = _members(before) - _members(after)
    said = [_told(each) for each in held[:MAX_TOLD]]
    if rest := [each.rr_plan for each in held[MAX_TOLD:]]:
        said.append(f"{len(rest)} more were not judged and are left out: {', '.join(rest)}.")
    gone = [each.rr_plan for each in held if each.rr_plan in left]
    if gone and before is not None:
        said.append(
            f"Out of {before.review} until they are judged, with what was decided of their "
            f"conflicts: {', '.join(gone)}."
        )
    return said


def _told(held: Held) -> str:
    why = held.why
    if (over := len(why) - MAX_WHY_CHARACTERS) > 0:
        why = f"{why[:MAX_WHY_CHARACTERS]}... ({over} characters more)."
    return (
        f"{held.rr_plan} was not judged and is left out: {why} Repair the validator or the "
        "blueprint, or end it (`bps branch fail`)."
    )


def _members(review: Review | None) -> set[str]:
    return set() if review is None else {each.rr_plan for each in review.contributors}
