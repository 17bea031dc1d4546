"""Which of several versions of an entry that say the same is in the result."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.records import CANONICAL
from bps.merge.run import Change
from bps.merge.three_way import picked


def of_equals(changes: Sequence[Change]) -> Element:
    """Of sides that say the same canonical's, else the first by its text."""
    sides = [(each.label, each.side) for each in changes if each.side is not None]
    return min(sides, key=lambda e: (e[0] != CANONICAL, e[1].tile, e[1].gap_text))[1]


def gap_of(changes: Sequence[Change], canonical: Element | None) -> str:
    """The blank lines before an entry."""
    edits = [(e.base.gap_text, e.side.gap_text) for e in changes if e.base and e.side]
    if canonical is None:
        return min((side for base, side in edits if side != base), default="")
    return picked(canonical.gap_text, edits)
