"""Decisions on the conflicts of vetoes, written over what was merged: which fit, which do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bps.candidates.typed import UnfitValue
from bps.merge.differences import Path
from bps.merge.origin_tree import segments
from bps.merge.reader import Reader
from bps.merge.records import Contribution, Merged, Origin
from bps.merge.refusals import Unreadable
from bps.merge.semantic import Contest, Decision, Settled


class Unfit(NamedTuple):
    """A decision that cannot be written where it belongs, and why."""

    settled: Settled
    error: Unreadable

    @property
    def value(self) -> UnfitValue:
        """As a typed value is told."""
        conflict, error = self.settled.conflict, self.error
        return UnfitValue(conflict.id, conflict.path, error.line, error.column, error.what)


def with_vetoes(
    canonical: str,
    contributions: Sequence[Contribution],
    merged: Merged,
    others: Sequence[Decision],
    reader: Reader,
) -> tuple[Merged, list[Settled], list[Unfit]]:
    """With those of `others` that decide a veto's conflict: which fit, and which do not.

    Cost: writes the text once; where some do not fit, about 2 log2(n) times more for each of them.
    """
    if not others:
        return merged, [], []
    contest = Contest(canonical, contributions, reader)
    met = contest.settled(others)
    if not met or merged.text is None:
        return merged, met, []
    try:
        text = contest.written(merged.text, met)
    except Unreadable:
        return merged, *_parted(contest, merged.text, [], met)
    origins = [
        Origin(each.conflict.path, "resolved", (each.resolution.take or "an edited value",))
        for each in met
    ]
    replaced = [segments(each.path) for each in origins]
    # Whatever the versions made of such a place is not what stands there now.
    kept = [each for each in merged.origins if not _within(segments(each.path), replaced)]
    return merged._replace(text=text, marked=text, origins=(*kept, *origins)), met, []


def _within(path: Path, places: Sequence[Path]) -> bool:
    return any(path[: len(place)] == place for place in places)


def _parted(
    contest: Contest, text: str, before: list[Settled], more: list[Settled]
) -> tuple[list[Settled], list[Unfit]]:
    """The decisions `before`, and those of `more` that can be written beside them; the others."""
    try:
        contest.written(text, [*before, *more])
    except Unreadable as error:
        if len(more) == 1:
            return before, [Unfit(more[0], error)]
    else:
        return [*before, *more], []
    half = len(more) // 2
    fit, unfit = _parted(contest, text, before, more[:half])
    fit, others = _parted(contest, text, fit, more[half:])
    return fit, [*unfit, *others]
