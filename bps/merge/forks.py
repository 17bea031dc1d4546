"""Ordered lists that editors forked from different versions, merged between what all kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from bps.merge.alignment import align, token
from bps.merge.elements import Element
from bps.merge.list_conflicts import Place, Stretch, list_conflict
from bps.merge.naming import name_of, names_in
from bps.merge.records import CANONICAL, Kind
from bps.merge.run import Change, Run
from bps.merge.slots import Slot, taken

Items = list[Element]
MergeStretch = Callable[[Place, Items, Sequence[tuple[str, Items]], int], list[Slot]]
"""Merges the elements of one base: see `ordered.merge_stretch`."""
FORKED = "the editors forked from different lists"


def merge_forks(
    place: Place, canonical: Items, stretches: Sequence[Stretch], merge_stretch: MergeStretch
) -> list[Slot]:
    """Merge element by element between the elements that every version has, edited or not.

    Those stand in one order everywhere, so between two of them everyone's edits are their own.
    Where the bases differ there and several edited, that stretch is in conflict.
    """
    run = place.run
    editors = [each for each in stretches if each.label != CANONICAL]
    versions = [canonical, *(list(e) for each in editors for e in (each.base, each.side))]
    cuts: list[list[Items]] = []
    at = [0] * len(versions)
    common = _in_all(versions, place.alike)
    for kept in [*common, [len(items) for items in versions]]:
        cuts.append([items[i:j] for items, i, j in zip(versions, at, kept, strict=True)])
        cuts.append([items[i : i + 1] for items, i in zip(versions, kept, strict=True)])
        at = [each + 1 for each in kept]
    rows = [_row(run, editors, cut) for cut in cuts]
    if _entangled(rows):
        kind = Kind.BOTH_MODIFIED
        return list_conflict(place, place.path, kind, stretches, canonical, FORKED)
    slots: list[Slot] = []
    before = 0
    for index, (cut, row) in enumerate(zip(cuts, rows, strict=True)):
        if index % 2:
            slots += _common(place, cut, editors, before)
        else:
            slots += _between(place, cut[0], row, merge_stretch, before)
        before += sum(item.value is not None for item in cut[1])
    return slots


def _in_all(versions: Sequence[Items], alike: float) -> list[list[int]]:
    """The indexes of the elements that all versions have, one a version."""
    canonical, *others = versions
    found = [[index] for index in range(len(canonical))]
    for other in others:
        pair = dict(align(canonical, other, alike))
        found = [[*each, pair[each[0]]] for each in found if each[0] in pair]
    return found


def _common(
    place: Place, cut: Sequence[Items], editors: Sequence[Stretch], before: int
) -> list[Slot]:
    """One element that all have."""
    if not cut[0]:
        return []
    run, item = place.run, cut[0][0]
    pairs = zip(editors, cut[1::2], cut[2::2], strict=True)
    changes = [Change(each.label, base[0], side[0]) for each, base, side in pairs]
    step = f"{place.prefix}{before}"
    path = place.path if item.value is None else (*place.path, step)
    slots: list[Slot] = run.merge_entry(
        run, path, place.cursor.child(step), item, changes, place.column
    )
    return slots


def _row(run: Run, editors: Sequence[Stretch], cut: Sequence[Items]) -> list[Stretch]:
    """What every editor changed between two fixed elements, canonical first where it moved on."""
    pairs = zip(editors, cut[1::2], cut[2::2], strict=True)
    every = [Stretch(each.label, base, side) for each, base, side in pairs]
    own = _contents(run, cut[0])
    moved_on = [Stretch(CANONICAL, e.base, cut[0]) for e in every if _contents(run, e.base) != own]
    changed = [e for e in every if _contents(run, e.base) != _contents(run, e.side)]
    return [*moved_on, *changed]


def _entangled(rows: Sequence[Sequence[Stretch]]) -> bool:
    """Whether what one editor put to a place was put to, or taken from, another one by others.

    Scalars of one name count as one here.
    """
    added: dict[Hashable, set[tuple[str, int]]] = {}
    gone: dict[Hashable, set[tuple[str, int]]] = {}
    fresh: dict[str, Items] = {}
    places: dict[str, set[tuple[str, int]]] = {}
    for index, row in enumerate(rows):
        for label, base, side in row:
            before = Counter(token(each) for each in base)
            after = Counter(token(each) for each in side)
            for changed, come in ((before - after, gone), (after - before, added)):
                for each in changed:
                    come.setdefault(each, set()).add((label, index))
            made = [each for each in side if token(each) in after - before]
            fresh.setdefault(label, []).extend(made)
            for each in made:
                if (name := name_of(each)) is not None:
                    places.setdefault(name, set()).add((label, index))
    versions = [items for row in rows for each in row for items in (each.base, each.side)]
    for name in names_in([*fresh.values()], versions):
        added["name", name] = places[name]
    return any(
        one != other and here != there
        for each, its in added.items()
        for one, here in its
        for other, there in its | gone.get(each, set())
    )


def _between(
    place: Place,
    canonical: Items,
    row: Sequence[Stretch],
    merge_stretch: MergeStretch,
    before: int,
) -> list[Slot]:
    run = place.run
    editors = [each for each in row if each.label != CANONICAL]
    if not editors:
        return [taken(each, place.column) for each in canonical]
    moved_on = [e for e in row if e.label == CANONICAL and _is_base(run, e.base, editors)]
    active = [*moved_on, *editors]
    wanted = {_contents(run, each.side) for each in active}
    if len(wanted) == 1:
        run.origin((*place.path, "-"), "changed", [each.label for each in active])
        chosen = canonical if moved_on else editors[0].side
        return [taken(each, place.column) for each in chosen]
    if len({_contents(run, each.base) for each in active}) == 1:
        sides = [(each.label, list(each.side)) for each in (*moved_on[:1], *editors)]
        return merge_stretch(place, list(editors[0].base), sides, before)
    kind = Kind.BOTH_MODIFIED
    return list_conflict(place, place.path, kind, active, canonical, FORKED)


def _is_base(run: Run, base: Sequence[Element], editors: Sequence[Stretch]) -> bool:
    return any(_contents(run, base) == _contents(run, each.base) for each in editors)


def _contents(run: Run, items: Sequence[Element]) -> tuple[Hashable, ...]:
    return tuple(run.contents(each) for each in items)
