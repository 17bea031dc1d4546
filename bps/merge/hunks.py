"""What editors of an ordered list deleted and inserted, and what is in whose way."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.alignment import align, token
from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.run import Change, Run


class Hunk(NamedTuple):
    """base[start:end], none of which the side `who` kept, became `inserted`."""

    start: int
    end: int
    who: int
    inserted: list[Element]


class ListSide(NamedTuple):
    """One editor's list: its items, which of the base's they are, and what it changed."""

    label: str
    items: list[Element]
    kept: dict[int, int]
    hunks: list[Hunk]


def list_items_of(run: Run, element: Element | None) -> list[Element]:
    """The elements of a list, detached comments among them."""
    elements = None if element is None else run.elements(element)
    return [] if elements is None else elements.items


def list_side(
    run: Run, base: Sequence[Element], change: Change, who: int, alike: float
) -> ListSide:
    """Hold an editor's list against the base's.

    `alike` is how much two elements must have in common to be one that was edited.
    """
    items = list_items_of(run, change.side)
    pairs = align(base, items, alike)
    hunks = []
    at_base = at_side = 0
    for i, j in [*pairs, (len(base), len(items))]:
        if at_base < i or at_side < j:
            hunks.append(Hunk(at_base, i, who, items[at_side:j]))
        at_base, at_side = i + 1, j + 1
    return ListSide(change.label, items, dict(pairs), hunks)


def entangled(run: Run, base: Sequence[Element], sides: Sequence[ListSide]) -> bool:
    """Whether an element that one side moved was touched by another, or two added it apart."""
    moved: dict[int, set[int]] = {}
    added: dict[object, set[tuple[int, int, int]]] = {}
    for who, side in enumerate(sides):
        gone = {
            token(base[index]): index
            for hunk in side.hunks
            for index in range(hunk.start, hunk.end)
        }
        for hunk in side.hunks:
            for item in hunk.inserted:
                if item.value is None:
                    continue
                if token(item) in gone:
                    moved.setdefault(gone[token(item)], set()).add(who)
                else:
                    added.setdefault(token(item), set()).add((who, hunk.start, hunk.end))
    for index, movers in moved.items():
        for who, side in enumerate(sides):
            kept = side.kept.get(index)
            if who in movers:
                if len(movers) > 1:
                    return True
            elif kept is None or run.differs(base[index], side.items[kept]):
                return True
    return any(
        len({who for who, _, _ in places}) > 1 and len({place[1:] for place in places}) > 1
        for places in added.values()
    )


def hunk_groups(sides: Sequence[ListSide]) -> list[list[Hunk]]:
    """Hunks that are in each other's way, directly or by others, along the base."""
    hunks = sorted((h for side in sides for h in side.hunks), key=lambda h: (h.start, h.end, h.who))
    groups: list[list[Hunk]] = []
    # The last hunk of each side reaches furthest: the others of a group need not be asked.
    last: list[dict[int, Hunk]] = []
    for hunk in hunks:
        near = max(0, len(groups) - len(sides) - 1)
        reached = [
            index
            for index in range(near, len(groups))
            if any(_in_the_way(hunk, each) for each in last[index].values())
        ]
        joined = [each for index in reached for each in groups[index]]
        furthest = {who: each for index in reached for who, each in last[index].items()}
        for index in reversed(reached):
            del groups[index], last[index]
        groups.append([*joined, hunk])
        last.append({**furthest, hunk.who: hunk})
    return sorted(groups, key=lambda g: (min(h.start for h in g), max(h.end for h in g)))


def _in_the_way(one: Hunk, other: Hunk) -> bool:
    """Whether two sides' hunks share elements, or insert where the other one did something.

    An insertion at the edge of what another side only deleted is in nobody's way.
    """
    if max(one.start, other.start) < min(one.end, other.end):
        return True
    if one.inserted and other.inserted:
        return max(one.start, other.start) <= min(one.end, other.end)
    return one.start < other.start == other.end < one.end or (
        other.start < one.start == one.end < other.end
    )
