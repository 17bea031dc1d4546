"""Detached comments are elements: known again by their text, or by the gap that they stand in."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.identity import Identify
from bps.merge.slots import Slot

Ident = Hashable


def identities(items: Sequence[Element], identify: Identify) -> dict[Ident, Element]:
    """The elements of one version by identity, in order; comments by text and occurrence."""
    found: dict[Ident, Element] = {}
    seen: dict[str, int] = {}
    for item in items:
        if item.value is None:
            text = _normalised(item)
            seen[text] = seen.get(text, 0) + 1
            found[("#", text, seen[text])] = item
        else:
            found[identify(item)] = item
    return found


def paired(base: dict[Ident, Element], side: dict[Ident, Element]) -> dict[Ident, Element]:
    """`side` with its edited comments under the identity of the base's comment that they were.

    A comment that only the base has and one that only the side has are the same one edited, where
    they stand behind the same entry.
    """
    gone = _by_place(base, side)
    if not gone:
        return side
    new = _by_place(side, base)
    renamed: dict[Ident, Ident] = {}
    for place, olds in gone.items():
        renamed.update(zip(new.get(place, []), olds, strict=False))
    if not renamed:
        return side
    return {renamed.get(ident, ident): item for ident, item in side.items()}


def stand_alone(slots: list[Slot], detached: Sequence[int]) -> list[Slot]:
    """The slots with a blank line behind each of the `detached` comments, by their places.

    What another editor put there begins on the next line, and the comment would belong to it.
    """
    for index in detached:
        if index + 1 < len(slots) and slots[index].is_comment:
            slot = slots[index + 1]
            first = next(iter((*slot.lead, *slot.body)), "")
            if not slot.gap and not (isinstance(first, str) and first.startswith("\n")):
                slots[index + 1] = slot._replace(gap="\n")
    return slots


def _by_place(one: dict[Ident, Element], other: dict[Ident, Element]) -> dict[Ident, list[Ident]]:
    """The comments that `other` lacks, by the entry before them."""
    found: dict[Ident, list[Ident]] = {}
    place: Ident = None
    for ident, item in one.items():
        if item.value is not None:
            place = ident
        elif ident not in other:
            found.setdefault(place, []).append(ident)
    return found


def _normalised(item: Element) -> str:
    return "\n".join(line.strip() for line in item.lead_text.strip().split("\n"))
