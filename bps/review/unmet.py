"""Decisions that meet no conflict any more: which wait, and which are dropped, told by name.

A conflict's id covers its place and all values there. One that is not there now may come up again,
as others are decided: then its decision is as good as before. One that cannot is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from bps.candidates.candidate import Attempt
from bps.merge.records import Kind
from bps.plans.reviews import ReviewFinding, ReviewResolution
from bps.review.overridden import SOURCE, overridden, warning

DROPPED = "dropped"
WAITING = "waiting"
_BROUGHT = frozenset({Kind.ANCHOR, Kind.DOCUMENT})
"""Kinds that decisions bring up around what was decided: they say nothing of the values there."""
_SHOWN_CHARS = 120
_UNFIT = "it does not fit here now"
_CHANGED = "what the versions have here is another thing now"
_UNCONTESTED = "nothing is in conflict here now"


class Fate(NamedTuple):
    """`kept` are decisions; `dropped` tells of the others, `waiting` of those kept that wait."""

    kept: list[ReviewResolution]
    dropped: list[ReviewFinding]
    waiting: list[ReviewFinding]


def fate_of(resolutions: Sequence[ReviewResolution], attempt: Attempt) -> Fate:
    """What becomes of `resolutions`, each told by a warning that does not simply hold.

    `attempt` is the merge with all of them. What does not meet its conflict waits while something
    is undecided, or cannot be read; what a larger place's decision replaces is told as overridden.
    """
    contested = {each.path for each in attempt.conflicts}
    around = {each.path for each in attempt.conflicts if each.kind not in _BROUGHT}
    settled = {each.path for each in attempt.settled}
    unfit = _places_of_unfit(attempt)
    blind = bool(attempt.unreadable) and not attempt.conflicts
    fate = Fate([], [], [])
    for each in resolutions:
        if each.conflict in attempt.applied or _within(each.path, settled):
            fate.kept.append(each)
        elif each.path in contested or _within(each.path, around):
            why = _UNFIT if each.path in unfit else _CHANGED
            fate.dropped.append(_dropped(each, why, "decide it anew"))
        elif attempt.conflicts or blind:
            fate.kept.append(each)
            fate.waiting.append(_waiting(each))
        else:
            hint = "look at the result; the decision stays in `bps log -o json`"
            fate.dropped.append(_dropped(each, _UNCONTESTED, hint))
    return fate


def own_findings(attempt: Attempt, dropped: Sequence[ReviewFinding]) -> list[ReviewFinding]:
    """The findings of `attempt` itself, without those that `dropped` tells with more words."""
    told = _places_of_unfit(attempt) & {each.path for each in dropped}
    return [each for each in attempt.findings if not (_is_unfit(each) and each.path in told)]


def _places_of_unfit(attempt: Attempt) -> set[str]:
    """Where decisions do not fit; without a conflict a whole text cannot be read, which is else."""
    return {each.path for each in attempt.findings if _is_unfit(each) and attempt.conflicts}


def _is_unfit(finding: ReviewFinding) -> bool:
    return finding.code == "unreadable"


def _within(path: str, places: Collection[str]) -> bool:
    return any(f"{path}/".startswith(f"{place}/") for place in places)


def findings_of(
    before: Sequence[ReviewFinding], resolutions: Sequence[ReviewResolution], attempt: Attempt
) -> list[ReviewFinding]:
    """All findings of `attempt`, the merge with `resolutions`: of these decisions, and its own.

    `before` are the findings that the review's record has.
    """
    fate = fate_of(resolutions, attempt)
    return [
        *overridden(resolutions, attempt.settled),
        *still_told(before, fate.kept),
        *fate.dropped,
        *fate.waiting,
        *own_findings(attempt, fate.dropped),
    ]


def still_told(
    before: Sequence[ReviewFinding], kept: Sequence[ReviewResolution]
) -> list[ReviewFinding]:
    """The warnings of `before` about decisions whose places were not decided anew by `kept`."""
    return [each for each in without_old_news(before, kept) if _tells_of_dropped(each)]


def without_old_news(
    findings: Sequence[ReviewFinding], resolutions: Sequence[ReviewResolution]
) -> list[ReviewFinding]:
    """`findings` of a record without those of dropped decisions that `resolutions` made anew."""
    anew = {each.path for each in resolutions}
    return [each for each in findings if not (_tells_of_dropped(each) and each.path in anew)]


def _tells_of_dropped(finding: ReviewFinding) -> bool:
    return finding.source == SOURCE and finding.code == DROPPED


def _dropped(resolution: ReviewResolution, why: str, hint: str) -> ReviewFinding:
    return _warning(resolution, DROPPED, f"holds no more: {why}.", hint)


def _waiting(resolution: ReviewResolution) -> ReviewFinding:
    said = "counts nothing now; it is kept, and holds where its conflict comes up again."
    return _warning(resolution, WAITING, said, "decide the rest")


def _warning(resolution: ReviewResolution, code: str, said: str, hint: str) -> ReviewFinding:
    if resolution.take is not None:
        what = f"take {resolution.take}"
    else:
        line = " ".join((resolution.text or "").split())
        what = f"= {line}" if len(line) <= _SHOWN_CHARS else f"= {line[:_SHOWN_CHARS]}..."
    message = f"What {resolution.by} decided here ({what}) {said}"
    return warning(resolution, code, message, hint)
