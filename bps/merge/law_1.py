"""Law 1: where one text alone came of it, that text is the merge."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.records import CANONICAL, Contribution, Merged, Origin


def law_1(canonical: str, active: Sequence[Contribution]) -> Merged | None:
    """The merge by equality of bytes; None where more than one changed text remains."""
    if not active:
        return Merged(canonical, canonical, (), (), ())
    text = active[0].text
    if any(each.text != text for each in active):
        return None
    labels = tuple(each.label for each in active)
    if all(each.base == canonical for each in active):
        return Merged(text, text, (), (), (Origin("", "changed", labels),))
    if canonical == text:
        return Merged(text, text, (), (), (Origin("", "changed", (CANONICAL, *labels)),))
    return None
