"""The order of a collection's elements when several editors added, deleted or moved some."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from bps.merge.named_tuple import NamedTuple

Ident = Hashable


class Orders(NamedTuple):
    """One editor's order of identities and that of what it was forked from."""

    base: Sequence[Ident]
    side: Sequence[Ident]


def merged_order(canonical: Sequence[Ident], editors: Sequence[Orders]) -> tuple[list[Ident], bool]:
    """All identities in one order, and whether editors moved the same elements differently.

    The order is canonical's, or that of the one editor who moved elements; what others added
    stands behind the element that it stood behind in their version, after what earlier editors
    added there; or in the place of what they deleted there. What some version has is still in it.
    """
    movers = [each for each in editors if _moves(each)]
    own = [Orders(each.base, canonical) for each in editors[:1]]
    canonical_moved = any(map(_moves, own))
    # What canonical deleted tells where others put something, so that it is among the rest.
    skeleton = editors[0].base if editors and not canonical_moved else canonical
    contradiction = False
    if movers:
        orders = [each.side for each in [*(own if canonical_moved else []), *movers]]
        shared = set(orders[0]).intersection(*orders[1:])
        ways = {tuple(each for each in order if each in shared) for order in orders}
        contradiction = len(ways) > 1
        if not canonical_moved and not contradiction:
            skeleton = movers[0].side
    present = set(canonical).union(*(each.side for each in editors))
    ordered = _insert_all(skeleton, [*own, *editors])
    return [each for each in ordered if each in present], contradiction


def _moves(orders: Orders) -> bool:
    if orders.base == orders.side:
        return False
    return _common(orders.base, orders.side) != _common(orders.side, orders.base)


def _common(one: Sequence[Ident], other: Sequence[Ident]) -> list[Ident]:
    """The identities of `one` that `other` has too, in `one`'s order."""
    known = set(other)
    return [each for each in one if each in known]


_HEAD = object()


def _insert_all(skeleton: Sequence[Ident], editors: Sequence[Orders]) -> list[Ident]:
    after: dict[Ident, Ident | None] = {}
    previous: Ident = _HEAD
    for ident in skeleton:
        after[previous] = ident
        previous = ident
    after[previous] = None
    inserted_by: dict[Ident, int] = {}
    instead: dict[Ident, int] = {}
    for number, editor in enumerate(editors):
        previous = _HEAD
        mine = set(editor.side)
        replaced = _last_deleted(after, mine, set(editor.base) - mine)
        for ident in editor.side:
            if ident not in after:
                place = replaced.get(previous, previous)
                # In the place of a deleted element, that is before what others added behind it.
                others = instead if previous in replaced else inserted_by
                following = after[place]
                # Behind what others added, but not behind what this version has itself.
                while (
                    inserted_by.get(previous) != number
                    and others.get(following, number) != number
                    and following not in mine
                ):
                    place = following
                    following = after[place]
                if others is instead or previous in instead:
                    instead[ident] = number
                after[place] = ident
                after[ident] = following
                inserted_by[ident] = number
            previous = ident
    ordered: list[Ident] = []
    at = after[_HEAD]
    while at is not None:
        ordered.append(at)
        at = after[at]
    return _alphabetical(ordered, inserted_by, [editor.side for editor in editors])


def _last_deleted(
    after: dict[Ident, Ident | None], mine: set[Ident], gone: set[Ident]
) -> dict[Ident, Ident]:
    """By the element before them the last of those that an editor deleted before the next of his.

    Cost: one pass, where he deleted any.
    """
    found: dict[Ident, Ident] = {}
    if not gone:
        return found
    at, before = after[_HEAD], _HEAD
    while at is not None:
        if at in mine:
            before = at
        elif at in gone:
            found[before] = at
        at = after[at]
    return found


def _alphabetical(
    ordered: list[Ident], inserted_by: dict[Ident, int], versions: Sequence[Sequence[Ident]]
) -> list[Ident]:
    """Sort what several editors added in one place, where all was in order and stays so.

    Only what all versions have shows that: its neighbours, and for a list, whose order is data, two
    elements at least, all of them in order. No two elements that one version has are turned round.

    Cost: one pass over all versions, and a sort of each such place.
    """
    gaps = [
        (start, end)
        for start, end in _stretches(ordered, inserted_by)
        if len({inserted_by[each] for each in ordered[start:end]}) > 1
    ]
    if not gaps:
        return ordered
    from bisect import bisect  # noqa: PLC0415 - few merges have such a place

    common = set(ordered).intersection(*versions) - inserted_by.keys()
    at = [place for place, each in enumerate(ordered) if each in common]
    shown = [ordered[place] for place in at]
    listed = len(shown) > 1 and _rising(shown)
    places = [{each: place for place, each in enumerate(own)} for own in versions]
    for start, end in gaps:
        added = ordered[start:end]
        ascending = sorted(added, key=lambda each: _name(each) or "")
        behind = bisect(at, start)
        around = [*shown[max(behind - 1, 0) : behind], *ascending, *shown[behind : behind + 1]]
        own = [sorted(place.keys() & added, key=place.__getitem__) for place in places]
        if (listed if isinstance(added[0], tuple) else shown) and all(map(_rising, [*own, around])):
            ordered[start:end] = ascending
    return ordered


def _stretches(
    ordered: Sequence[Ident], inserted_by: dict[Ident, int]
) -> Iterator[tuple[int, int]]:
    """Start and end of what was added between two elements that were not."""
    start = 0
    for end, ident in enumerate([*ordered, _HEAD]):
        if ident not in inserted_by:
            yield start, end
            start = end + 1


def _name(ident: Ident) -> str | None:
    """What an identity is sorted by: a text key, or the text of a single key field."""
    if isinstance(ident, tuple) and len(ident) == 1:
        ident = ident[0]
    return ident if isinstance(ident, str) else None


def _rising(idents: Sequence[Ident]) -> bool:
    names = [_name(each) for each in idents]
    known = [name for name in names if name is not None]
    return len(known) == len(names) and known == sorted(known)
