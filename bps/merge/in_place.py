"""Elements of an ordered list that were edited in place, so much that they look like other ones.

Where every version has exactly one element between two that are known again, or at an end, it is
one element if what it became shares a leaf with what it was, or as a block scalar a line.
Elsewhere likeness alone tells (`bps.merge.alignment`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.alignment import LIKENESS, likeness, lines_of, token
from bps.merge.elements import Element
from bps.merge.hunks import Hunk, ListSide
from bps.merge.source import MAPPING, SEQUENCE, Node


def edited_in_place(base: Sequence[Element], sides: Sequence[ListSide]) -> list[ListSide]:
    """The sides, where such an element counts as kept. Cost: one look at each element."""
    found = {hunk.start for side in sides for hunk in side.hunks if _one_for_one(hunk)}
    if not found:
        return list(sides)
    tokens = [token(each) for each in base]
    known = frozenset(tokens)
    its = [[token(each) for each in side.items] for side in sides]
    theirs = [frozenset(each) for each in its]
    places = {
        place
        for place in found
        if all(
            _stands_alone(base, side, place, tokens, known, own, its_known)
            for side, own, its_known in zip(sides, its, theirs, strict=True)
        )
    }
    return [_with_kept(side, places) for side in sides]


def _one_for_one(hunk: Hunk) -> bool:
    return hunk.end - hunk.start == 1 == len(hunk.inserted)


def _stands_alone(
    base: Sequence[Element],
    side: ListSide,
    place: int,
    tokens: Sequence[Hashable],
    known: frozenset[Hashable],
    its: Sequence[Hashable],
    its_known: frozenset[Hashable],
) -> bool:
    """Whether a side has one element there, between known ones, that can be the base's."""
    at = _at(side, place)
    if at is None or at >= len(its):
        return False
    last = place == len(tokens) - 1
    if last != (at == len(its) - 1) or not (last or side.kept.get(place + 1) == at + 1):
        return False
    if place in side.kept:
        return side.kept[place] == at
    # What stands elsewhere in the other list was moved.
    return (
        its[at] not in known
        and tokens[place] not in its_known
        and _is_edit(base[place].value, side.items[at].value)
    )


def _at(side: ListSide, place: int) -> int | None:
    """Where the element behind the one before stands in a side's list."""
    if not place:
        return 0
    before = side.kept.get(place - 1)
    return None if before is None else before + 1


def _is_edit(one: Node | None, other: Node | None) -> bool:
    if one is not None and other is not None and one.block_scalar and other.block_scalar:
        return not lines_of(one).isdisjoint(lines_of(other))
    return _share_a_leaf(one, other)


def _share_a_leaf(one: Node | None, other: Node | None) -> bool:
    """Whether two mappings have a key with the same text or list below it, in any depth.

    Lists that are half the same count, or that have an equal mapping with such a key, and those of
    one element by that element. Numbers, booleans and null tell nothing: `override: true` stands in
    every second step.
    """
    if one is None or other is None or one.kind != MAPPING or other.kind != MAPPING:
        return False
    values = {key.data: value for key, value in other.pairs()}
    return any(
        _below_one_key(value, values[key.data]) for key, value in one.pairs() if key.data in values
    )


def _below_one_key(one: Node, other: Node) -> bool:
    if _tells(one) and one.data == other.data:
        return True
    if one.kind != SEQUENCE or other.kind != SEQUENCE:
        return _share_a_leaf(one, other)
    if len(one.children) == len(other.children) == 1:
        return _share_a_leaf(one.children[0], other.children[0])
    return likeness(one, other) >= LIKENESS or _share_a_mapping(one, other)


def _share_a_mapping(one: Node, other: Node) -> bool:
    mappings = {each.data: each for each in one.children if each.kind == MAPPING}
    return any(_share_a_leaf(mappings.get(each.data), each) for each in other.children)


def _tells(node: Node) -> bool:
    return node.kind == SEQUENCE or (isinstance(node.data, str) and node.data != "")


def _with_kept(side: ListSide, places: set[int]) -> ListSide:
    kept, hunks = dict(side.kept), []
    for hunk in side.hunks:
        at = _at(side, hunk.start)
        if hunk.start in places and at is not None and _one_for_one(hunk):
            kept[hunk.start] = at
        else:
            hunks.append(hunk)
    return side._replace(kept=kept, hunks=hunks)
