"""Detached comments are elements: known again by their text, or by the gap that they stand in."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence

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


def stand_alone(
    slots: list[Slot], detached: Sequence[int], versions: Iterable[Iterable[Element]]
) -> list[Slot]:
    """The slots with a blank line behind each of the `detached` comments, by their places.

    What another editor put there begins on the next line, and the comment would belong to it. One
    that a version has right above that entry is left there.
    Cost: a search of all versions for each comment that another editor's entry would follow.
    """
    texts: set[str] | None = None
    for index in detached:
        if index + 1 < len(slots) and slots[index].is_comment:
            slot = slots[index + 1]
            first = next(iter((*slot.lead, *slot.body)), "")
            if slot.gap or (isinstance(first, str) and first.startswith("\n")):
                continue
            if texts is None:
                texts = {each.source.text for items in versions for each in items}
            if not (isinstance(first, str) and _adjoin(slots[index], first, texts)):
                slots[index + 1] = slot._replace(gap="\n")
    return slots


def _adjoin(comment: Slot, entry: str, texts: set[str]) -> bool:
    """Whether one of the texts has the entry right behind the comment's last line."""
    said = "".join(piece for piece in comment.lead if isinstance(piece, str)).rstrip()
    above = re.escape(said.rpartition("\n")[2].strip())
    below = re.escape(entry.partition("\n")[0].strip())
    return any(re.search(rf"{above}[ \t]*\r?\n[ \t]*{below}", text) for text in texts)


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
