"""Comments that entries put in below them took over, where another editor was there too.

A comment belongs to what stands below it. Where an editor put an entry between a comment and what
it stood above, the comment is the new entry's in that version, and two such editors would leave it
in the result twice. Then it stays with what it stood above in the base, and the new entries come
without it; the blank lines that came along stand once. What one editor alone did there stays.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.comments import merge_comments, stripped
from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import CANONICAL

Ident = Hashable
Items = dict[Ident, Element]
Editor = tuple[str, Items, Items]


class _Takeover(NamedTuple):
    """`below` is the entry that lost its head in a version, or the comment that went; to `new`."""

    below: Ident
    new: Ident


class HandedBack:
    """The versions with these comments where the base has them.

    `heads` has the lines to write above an entry, and who changed them; `gaps` the blank lines
    above a new entry, and a token: of all with the same token the first has them.
    """

    def __init__(self, canonical: Items, editors: Sequence[Editor], column: int) -> None:
        self.heads: dict[Ident, tuple[str, list[str]]] = {}
        self.gaps: dict[Ident, tuple[str, Ident]] = {}
        self.canonical = canonical
        self.editors = list(editors)
        base = editors[0][1] if editors else canonical
        if any(each is not base for _, each, _ in editors):
            return
        sides = [side for _, _, side in editors]
        labels = [label for label, _, _ in editors]
        if canonical is not base:
            sides, labels = [canonical, *sides], [CANONICAL, *labels]
        found = [_takeovers(base, side, column) for side in sides]
        for below in dict.fromkeys(each.below for group in found for each in group):
            new = [next((e.new for e in group if e.below == below), None) for group in found]
            self._hand_back(base, sides, labels, below, new, column)
        if canonical is not base:
            self.canonical, *sides = sides
        self.editors = [(e[0], base, side) for e, side in zip(editors, sides, strict=True)]
        if self.heads:
            bare = _bare(base, self.heads)
            self.canonical = bare if canonical is base else _bare(self.canonical, self.heads)
            self.editors = [(e[0], bare, _bare(e[2], self.heads)) for e in self.editors]

    def _hand_back(
        self,
        base: Items,
        sides: list[Items],
        labels: Sequence[str],
        below: Ident,
        new: Sequence[Ident | None],
        column: int,
    ) -> None:
        """Put one comment back; `new` is what took it over in each version, if something did."""
        was = base[below]
        takers = [at for at, each in enumerate(new) if each is not None]
        if was.value is None:
            if len({new[at] for at in takers}) > 1:
                for at in takers:
                    sides[at] = _with_comment(sides[at], new[at], below, was)
            return
        if any(below not in side for side in sides) or not _at(sides, below, column):
            return
        leads = [
            was.lead_text if at in takers else each[below].lead_text
            for at, each in enumerate(sides)
        ]
        changed = [at for at, lead in enumerate(leads) if stripped(lead) != stripped(was.lead_text)]
        alone = len({new[at] for at in takers}) == 1
        if alone and not (changed and was.lead_text):
            return
        merged = merge_comments([(was.lead_text, lead) for lead in leads])
        if merged is None:
            return
        gaps = [side[below].gap_text for side in sides]
        gap = next((each for each in gaps if each != was.gap_text), was.gap_text)
        margin = " " * column
        if merged == stripped(was.lead_text):
            text = was.lead_text
        else:
            text = "".join(f"{margin}{line}\n" if line else "\n" for line in merged)
        if merged or gap:
            self.heads[below] = (gap + text, [labels[at] for at in changed])
        for at in takers:
            element = sides[at][new[at]]
            came_along = element.gap_text == was.gap_text and gap != was.gap_text
            token = below if came_along else (new[at], at)
            if element.gap_text:
                self.gaps[new[at]] = (element.gap_text, token)
            cut = _line(element) if was.lead_text else element.lead
            sides[at] = {**sides[at], new[at]: _from(element, cut)}


def _takeovers(base: Items, side: Items, column: int) -> list[_Takeover]:
    """What new entries of a version have of the comments that stood above others in the base."""
    if side is base or len(side) == sum(ident in base for ident in side):
        return []
    found: list[_Takeover] = []
    first: Ident | None = None
    gone = {
        "\n".join(stripped(item.lead_text)): ident
        for ident, item in base.items()
        if item.value is None and ident not in side and item.lead_text.endswith("\n")
    }
    for ident, item in side.items():
        was = base.get(ident)
        if was is None:
            if first is None and item.value is not None and _whole(item, column):
                first = ident
                lead = "\n".join(stripped(item.lead_text))
                if lead in gone:
                    found.append(_Takeover(gone.pop(lead), ident))
            continue
        if first is not None and was.value is not None and _took(was, item, side[first], column):
            found.append(_Takeover(ident, first))
        first = None
    return found


def _took(was: Element, entry: Element, new: Element, column: int) -> bool:
    """Whether the lines above an entry of the base stand above the new one instead."""
    if not (_whole(was, column) and _whole(entry, column)):
        return False
    if was.lead_text:
        return not entry.lead_text and stripped(new.lead_text) == stripped(was.lead_text)
    return (
        bool(was.gap_text)
        and not (entry.gap_text or entry.lead_text)
        and (new.gap_text == was.gap_text)
    )


def _whole(element: Element, column: int) -> bool:
    """Whether it has lines of its own at the column."""
    inside = element.inline or element.rooted or element.flow
    return not inside and element.column == column


def _at(sides: Sequence[Items], ident: Ident, column: int) -> bool:
    return all(_whole(side[ident], column) for side in sides)


def _line(element: Element) -> int:
    return element.source.line_start(element.start)


def _from(element: Element, begin: int) -> Element:
    """The entry without the lines above `begin`."""
    return Element(
        element.source,
        element.column,
        begin,
        begin,
        element.start,
        element.end,
        element.key,
        element.value,
    )


def _bare(items: Items, heads: dict[Ident, tuple[str, list[str]]]) -> Items:
    """A version without what is written above these entries."""
    return {
        ident: _from(item, _line(item)) if ident in heads else item for ident, item in items.items()
    }


def _with_comment(items: Items, new: Ident, ident: Ident, comment: Element) -> Items:
    """A version with the base's comment before the entry that has it."""
    found: Items = {}
    for each, item in items.items():
        if each == new:
            found[ident] = comment
            found[each] = _from(item, _line(item))
        else:
            found[each] = item
    return found
