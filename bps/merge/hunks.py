"""What editors of an ordered list deleted and inserted, and what is in whose way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.alignment import align, token
from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.naming import name_of, names_in
from bps.merge.run import Run

_NOBODY = -1


class Hunk(NamedTuple):
    """base[start:end], none of which the side `who` kept, became `inserted`."""

    start: int
    end: int
    who: int
    inserted: list[Element]


class HunkGroup(NamedTuple):
    """Hunks of base[start:end] that are in each other's way; `as_one`: not to be told apart."""

    start: int
    end: int
    hunks: list[Hunk]
    as_one: bool


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
    run: Run,
    base: Sequence[Element],
    label: str,
    items: list[Element],
    who: int,
    alike: float,
) -> ListSide:
    """Hold an editor's list against the base's.

    `alike` is how much two elements must have in common to be one that was edited.
    """
    pairs = align(base, items, alike)
    kept = dict(pairs)
    spans: list[_Span] = []
    at_base = at_side = 0
    for i, j in [*pairs, (len(base), len(items))]:
        if at_base < i or at_side < j:
            spans.append(_Span(at_base, i, at_side, j))
        at_base, at_side = i + 1, j + 1
    limit = len(base)
    for at in range(len(spans) - 1, -1, -1):
        spans[at] = _slid(run, base, items, spans[at], limit, kept)
        limit = spans[at].start
    hunks = [Hunk(start, end, who, items[first:last]) for start, end, first, last in spans]
    return ListSide(label, items, kept, hunks)


class _Span(NamedTuple):
    """base[start:end] became items[first:last]."""

    start: int
    end: int
    first: int
    last: int


def _slid(
    run: Run,
    base: Sequence[Element],
    items: Sequence[Element],
    span: _Span,
    limit: int,
    kept: dict[int, int],
) -> _Span:
    """An addition or a deletion as far down as it goes; `kept` is told of it.

    As in `bps.merge.lines`: of repeated elements two sides may have taken away the same one, and
    the result would lack two.
    """
    start, end, first, last = span
    if start < end and first < last:
        return span
    while end < limit:
        said = run.contents(base[end])
        if run.contents(base[start]) != said or run.contents(items[last]) != said:
            break
        if run.contents(items[first]) != said:
            break
        kept.pop(end)
        kept[start] = first
        start, end, first, last = start + 1, end + 1, first + 1, last + 1
    return _Span(start, end, first, last)


def entangled(run: Run, base: Sequence[Element], sides: Sequence[ListSide]) -> list[Hunk]:
    """Stretches of the base, as hunks of nobody, that can be decided as one only.

    They reach over an element that one side moved and another touched, from where it stood to
    where it stands, and over the places to which two sides added the same element, or scalars of
    one name. What such a hunk has inserted is not its own: it says only whether something was.
    Cost: each hunk's elements once, and a sort of the stretches.
    """
    moves: dict[int, list[Hunk]] = {}
    added: dict[Hashable, list[Hunk]] = {}
    rivals = rival_names(base, sides)
    for side in sides:
        gone = {
            token(base[index]): (index, hunk)
            for hunk in side.hunks
            for index in range(hunk.start, hunk.end)
        }
        for hunk in side.hunks:
            for item in hunk.inserted:
                if item.value is None:
                    continue
                index, left = gone.get(token(item), (-1, hunk))
                if index >= 0:
                    moves.setdefault(index, []).extend((left, hunk))
                    continue
                added.setdefault(token(item), []).append(hunk)
                if rivals and (name := name_of(item)) in rivals:
                    added.setdefault(("name", name), []).append(hunk)
    found = [
        _over(hunks)
        for hunks in added.values()
        if len({h.who for h in hunks}) > 1 and len({(h.start, h.end) for h in hunks}) > 1
    ]
    numbers = _numbered(run, sides) if moves else {}
    found += [
        _over([*hunks, Hunk(index, index + 1, _NOBODY, [])])
        for index, hunks in moves.items()
        if _touched_by_others(run, base, sides, index, {hunk.who for hunk in hunks})
        or not _alike(hunks, numbers)
    ]
    apart: list[Hunk] = []
    for each in sorted(found, key=lambda hunk: hunk.start):
        if apart and each.start <= apart[-1].end:
            apart[-1] = _over([apart[-1], each])
        else:
            apart.append(each)
    return apart


def rival_names(base: Sequence[Element], sides: Sequence[ListSide]) -> set[str]:
    """The names under which several sides inserted scalars into a list without doubled names."""
    inserted = [[item for hunk in side.hunks for item in hunk.inserted] for side in sides]
    return names_in(inserted, [base, *(side.items for side in sides)])


def _touched_by_others(
    run: Run, base: Sequence[Element], sides: Sequence[ListSide], index: int, movers: set[int]
) -> bool:
    """Whether an element that some moved was deleted or changed by another one."""
    others = [side for who, side in enumerate(sides) if who not in movers]
    return any(
        index not in side.kept or run.differs(base[index], side.items[side.kept[index]])
        for side in others
    )


def _numbered(run: Run, sides: Sequence[ListSide]) -> dict[int, int]:
    """A number for each hunk by its `id`: the same for all that make the same of one place.

    A hunk is compared as often as elements were moved into it, so its contents are hashed once.
    """
    numbers: dict[Hashable, int] = {}
    return {
        id(hunk): numbers.setdefault(
            (hunk.start, hunk.end, *map(run.contents, hunk.inserted)), len(numbers)
        )
        for side in sides
        for hunk in side.hunks
    }


def _alike(hunks: Sequence[Hunk], numbers: dict[int, int]) -> bool:
    """Whether all editors did the same there."""
    made: dict[int, list[int]] = {}
    for hunk in hunks:
        made.setdefault(hunk.who, []).append(numbers[id(hunk)])
    first, *others = made.values()
    return all(each == first for each in others)


def _over(hunks: Sequence[Hunk]) -> Hunk:
    inserted = next((hunk.inserted for hunk in hunks if hunk.inserted), [])
    return Hunk(min(h.start for h in hunks), max(h.end for h in hunks), _NOBODY, inserted)


def hunk_groups(sides: Sequence[ListSide], stretches: Sequence[Hunk]) -> list[HunkGroup]:
    """Hunks that are in each other's way, directly or by others, along the base.

    All that lie in one of `stretches` are in each other's way. Cost: a sort of all hunks.
    """
    hunks = sorted(
        [*stretches, *(hunk for side in sides for hunk in side.hunks)],
        key=lambda h: (h.start, h.end, h.who),
    )
    groups: list[list[Hunk]] = []
    # The last hunk of each side reaches furthest: the others of a group need not be asked.
    last: list[dict[int, Hunk]] = []
    for hunk in hunks:
        near = max(0, len(groups) - len(sides) - 2)
        reached = [
            index
            for index in range(near, len(groups))
            if any(_in_the_way(hunk, each) for each in last[index].values())
        ]
        furthest = {who: each for index in reached for who, each in last[index].items()}
        last.append({**furthest, hunk.who: hunk})
        # The first is added to, not copied: all hunks of a list can be one group.
        joined = groups[reached[0]] if reached else []
        for index in reached[1:]:
            joined += groups[index]
        groups.append(joined)
        joined.append(hunk)
        for index in reversed(reached):
            del groups[index], last[index]
    found = [
        HunkGroup(
            min(h.start for h in group),
            max(h.end for h in group),
            [h for h in group if h.who != _NOBODY],
            as_one=any(h.who == _NOBODY for h in group),
        )
        for group in groups
    ]
    return sorted(found, key=lambda group: (group.start, group.end))


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
