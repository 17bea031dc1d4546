"""Places that must not be decided whatever the entries say: an anchor and its aliases apart."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.doubt_index import DoubtIndex
from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import CANONICAL
from bps.merge.results import Doubt
from bps.merge.run import Change, same
from bps.merge.source import Node


class Reach(NamedTuple):
    """A doubt as seen from an entry: the entry's own, or one of something inside it."""

    doubt: Doubt
    own: bool


def reach_of(
    doubts: DoubtIndex, canonical: Element | None, changes: Sequence[Change]
) -> Reach | None:
    """The first doubt about an entry, else the first about what is inside it.

    Cost: a few look-ups for each version, and a look at each doubt inside.
    """
    versions = [canonical, *(e for each in changes for e in (each.base, each.side))]
    elements = [each for each in versions if each is not None and each.value is not None]
    for own, found_in in ((True, doubts.own), (False, doubts.inside)):
        found = [at for at in map(found_in, elements) if at is not None]
        if found:
            return Reach(doubts.doubts[min(found)], own)
    return None


def editors_of(doubt: Doubt, canonical: Element | None, changes: Sequence[Change]) -> list[Change]:
    """Who is named in the conflict: those of the doubt, and all others who changed the entry."""
    named = [
        each for each in changes if each.label in doubt.labels or not same(each.base, each.side)
    ]
    known = {CANONICAL, *(each.label for each in changes)}
    named += [Change(label, None, None) for label in doubt.labels if label not in known]
    bases: list[Element | None] = []
    for each in named:
        if all(each.base is not base for base in bases):
            bases.append(each.base)
    own = [Change(CANONICAL, base, canonical) for base in bases if _data(base) != _data(canonical)]
    if not own and CANONICAL in doubt.labels:
        own = [Change(CANONICAL, canonical, canonical)]
    return [*own, *named]


def changes_it(doubt: Doubt, sides: Sequence[Change]) -> bool:
    """Whether one of the doubt's editors changed what the entry stands for, and not all alike."""
    return len({_data(each.side) for each in sides}) > 1 and any(
        each.label in doubt.changers and _data(each.base) != _data(each.side) for each in sides
    )


def settled_with(doubts: Sequence[Doubt], elements: Sequence[Element]) -> list[Doubt]:
    """The doubts that are about nothing outside of these versions of one entry.

    Whoever decides on the whole entry decides on them too.
    """
    held = {each.source: each for each in elements}
    return [each for each in doubts if all(_holds(held.get(n.source), n) for n in each.nodes)]


def _holds(element: Element | None, node: Node) -> bool:
    return element is not None and element.start <= node.start and node.end <= element.end


def _data(element: Element | None) -> Hashable:
    if element is None:
        return ("missing",)
    key = None if element.key is None else element.key.data
    return (key, None if element.value is None else element.value.data)
