"""Decisions that count no more, as another one is of a larger place around theirs.

A conflict that comes up later, by a veto or by what was decided, can lie around a place that was
decided: its decision replaces what the others had made of it. A veto's is written last, over all.
That is lawful, and nobody may do it unawares.
"""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.records import Conflict, Kind
from bps.plans.reviews import ReviewFinding, ReviewResolution

SOURCE = "review"
"""Of findings that tell of the review itself; no validator is called so."""
CODE = "overridden"


def overridden(
    resolutions: Sequence[ReviewResolution], settled: Sequence[Conflict]
) -> list[ReviewFinding]:
    """A warning for each of `resolutions` inside of a conflict of `settled`.

    `settled` are the conflicts that came up later and were decided. Indices of lists are compared
    as they are in the conflicts.
    """
    of_vetoes = {each.id for each in settled if each.kind is Kind.SEMANTIC}
    found = []
    for each in resolutions:
        around = [
            other.path
            for other in settled
            if other.id != each.conflict
            and (other.id in of_vetoes or each.conflict not in of_vetoes)
            and f"{each.path}/".startswith(f"{other.path}/")
        ]
        if around:
            found.append(_overridden(each, min(around, key=len)))
    return found


def warning(resolution: ReviewResolution, code: str, message: str, hint: str) -> ReviewFinding:
    """What a reviewer should know of a decision, at its place."""
    return ReviewFinding(
        source=SOURCE,
        severity="warning",
        path=resolution.path,
        line=None,
        code=code,
        message=message,
        hint=hint,
    )


def _overridden(resolution: ReviewResolution, around: str) -> ReviewFinding:
    where = around or "the root, which is the whole document"
    message = f"What was decided here counts no more: the decision of {where} replaces it."
    hint = "put it into that decision too, or decide that one anew"
    return warning(resolution, CODE, message, hint)
