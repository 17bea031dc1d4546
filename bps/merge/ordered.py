"""Ordered lists: diff3 on elements against one base, recursive on the elements that match."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice, takewhile

from bps.merge.agreed_hunks import agreed_parts, parted
from bps.merge.alignment import LIKENESS, token
from bps.merge.detached import stand_alone
from bps.merge.elements import Element
from bps.merge.forks import merge_forks
from bps.merge.hunks import (
    Hunk,
    HunkGroup,
    ListSide,
    entangled,
    hunk_groups,
    list_items_of,
    list_side,
    rival_names,
)
from bps.merge.in_place import edited_in_place
from bps.merge.list_conflicts import Place, Stretch, list_conflict
from bps.merge.records import CANONICAL, Kind
from bps.merge.run import Change, Path, Run, same
from bps.merge.slots import Slot, taken
from bps.merge.strategies import Cursor
from bps.merge.three_way import picked

ENTANGLED = "the same element, or one of the same name, was moved or added in different places"


def merge_ordered(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element,
    changes: Sequence[Change],
    column: int,
    *,
    union: bool,
    alike: float = LIKENESS,
    prefix: str = "",
) -> list[Slot]:
    """Merge lists element by element.

    `union`: insertions of several editors in one gap all go in (undeclared sets), unless they
    share an element or a name: `--cpu, 2` and `--mem, 2` are no sets, nor `A=1` and `A=2`.
    `alike` is how much two elements must have in common to be one that was edited; `prefix`
    stands before their indexes in paths.
    """
    place = Place(run, path, cursor, column, prefix, alike, union)
    base = list_items_of(run, changes[0].base)
    if all(same(changes[0].base, each.base) for each in changes[1:]):
        sides = [(each.label, list_items_of(run, each.side)) for each in changes]
        return merge_stretch(place, base, sides, 0)
    forks = [
        Stretch(each.label, list_items_of(run, each.base), list_items_of(run, each.side))
        for each in changes
    ]
    return merge_forks(place, list_items_of(run, canonical), forks, merge_stretch)


def merge_stretch(
    place: Place,
    base: list[Element],
    versions: Sequence[tuple[str, list[Element]]],
    before: int,
) -> list[Slot]:
    """Merge one base's elements, of which each editor (by label) has another version.

    `before` counts the entries of the list that stand before them.
    """
    sides = [
        list_side(place.run, base, label, items, who, place.alike)
        for who, (label, items) in enumerate(versions)
    ]
    sides = edited_in_place(base, sides)
    return _OrderedMerge(place, base, parted(place.run, sides), before).slots()


class _OrderedMerge:
    """The walk along the base."""

    def __init__(
        self, place: Place, base: list[Element], sides: list[ListSide], before: int
    ) -> None:
        self.place = place
        self.run = place.run
        self.path = place.path
        self.cursor = place.cursor
        self.column = place.column
        self.union = place.union
        self.base = base
        self.sides = sides
        self.index = [""] * len(base)
        for at, item in enumerate(base):
            self.index[at] = f"{place.prefix}{before}"
            before += item.value is not None

    def slots(self) -> list[Slot]:
        slots: list[Slot] = []
        at = 0
        for group in hunk_groups(self.sides, entangled(self.run, self.base, self.sides)):
            slots += self._matched(at, group.start)
            slots += self._stretch(group)
            at = max(at, group.end)
        slots += self._matched(at, len(self.base))
        detached = [at for at, slot in enumerate(slots) if slot.is_comment]
        return stand_alone(slots, detached, (self.base, *(side.items for side in self.sides)))

    def _matched(self, start: int, end: int) -> list[Slot]:
        """Elements that every side has kept."""
        slots: list[Slot] = []
        for place in range(start, end):
            item = self.base[place]
            changes = [
                Change(side.label, item, side.items[side.kept[place]]) for side in self.sides
            ]
            slots += self._entry(place, changes)
        return slots

    def _entry(self, place: int, changes: Sequence[Change]) -> list[Slot]:
        item = self.base[place]
        canonical = next((e.side for e in changes if e.label == CANONICAL), item)
        others = [each for each in changes if each.label != CANONICAL]
        step = self.index[place]
        path = self.path if item.value is None else (*self.path, step)
        slots: list[Slot] = self.run.merge_entry(
            self.run, path, self.cursor.child(step), canonical, others, self.column
        )
        return slots

    def _stretch(self, group: HunkGroup) -> list[Slot]:
        """Where at least one side deleted or inserted."""
        start, end, hunks, as_one = group
        if as_one:
            return self._contested(group)
        insertions = [hunk for hunk in hunks if hunk.inserted]
        if not insertions:
            return [slot for place in range(start, end) for slot in self._deleted(place)]
        whos = {hunk.who for hunk in hunks}
        untouched = all(self._untouched(place, whos) for place in range(start, end))
        if len(whos) == 1:
            if untouched:
                found = self._inserted([e for h in hunks for e in h.inserted], [hunks[0].who])
                return self._spaced(found, start) if start < end and len(hunks) == 1 else found
            return self._contested(group)
        texts = [[self.run.contents(e) for e in hunk.inserted] for hunk in insertions]
        alike = all(text == texts[0] for text in texts)
        same_place = all((hunk.start, hunk.end) == (start, end) for hunk in hunks)
        if alike and same_place and untouched and len(insertions) == len(hunks):
            made = min((h.inserted for h in insertions), key=lambda items: [e.tile for e in items])
            return self._inserted(made, sorted(whos))
        pure = all(hunk.start == hunk.end for hunk in insertions)
        if self.union and pure and not _share(insertions) and not self._rivals(insertions):
            return self._united(group)
        parts = agreed_parts(self.run, group)
        if len(parts) == 1:
            return self._contested(group)
        slots: list[Slot] = []
        for part in parts:
            slots += [*self._matched(start, part.start), *self._stretch(part)]
            start = part.end
        return slots

    def _rivals(self, insertions: Sequence[Hunk]) -> bool:
        """Whether insertions of several sides are of one name."""
        sides = [self.sides[each.who]._replace(hunks=[each]) for each in insertions]
        return bool(rival_names(self.base, sides))

    def _untouched(self, place: int, deleters: set[int]) -> bool:
        """Whether no other side edited an element that `deleters` replaced."""
        for who, side in enumerate(self.sides):
            if (
                who not in deleters
                and place in side.kept
                and (self.run.differs(self.base[place], side.items[side.kept[place]]))
            ):
                return False
        return True

    def _deleted(self, place: int) -> list[Slot]:
        changes = [
            Change(
                side.label,
                self.base[place],
                side.items[side.kept[place]] if place in side.kept else None,
            )
            for side in self.sides
        ]
        return self._entry(place, changes)

    def _inserted(self, items: Sequence[Element], whos: Sequence[int]) -> list[Slot]:
        labels = [self.sides[who].label for who in whos]
        if any(item.value is not None for item in items):
            self.run.origin((*self.path, "-"), "added", labels)
        return [taken(item, self.column) for item in items]

    def _spaced(self, slots: list[Slot], place: int) -> list[Slot]:
        """What replaced an element, with the blank lines that others put before that one."""
        gap = self.base[place].gap_text
        if slots[0].gap == gap:
            kept = {e.label: e.items[e.kept[place]] for e in self.sides if place in e.kept}
            gaps = {label: item.gap_text for label, item in kept.items()}
            edits = [(gap, side) for side in gaps.values()]
            slots[0] = slots[0]._replace(gap=picked(gaps.get(CANONICAL, gap), edits))
        return slots

    def _united(self, group: HunkGroup) -> list[Slot]:
        """Insertions of several sides into one gap of a set, each element once."""
        slots: list[Slot] = []
        insertions: dict[int, list[Hunk]] = {}
        for hunk in sorted(group.hunks, key=lambda each: each.who):
            if hunk.inserted:
                insertions.setdefault(hunk.start, []).append(hunk)
        for place in range(group.start, group.end + 1):
            for hunk in insertions.get(place, ()):
                slots += self._inserted(hunk.inserted, [hunk.who])
            if place < group.end:
                slots += self._deleted(place)
        return slots

    def _contested(self, group: HunkGroup) -> list[Slot]:
        """The whole stretch in conflict."""
        run = self.run
        start, end, hunks, as_one = group
        base = self.base[start:end]
        before = [run.contents(each) for each in base]
        stretches = []
        contested = {id(hunk) for hunk in hunks}
        for side in self.sides:
            items = _stretch_of(side, contested, start, end)
            if [run.contents(each) for each in items] != before:
                stretches.append(Stretch(side.label, base, items))
        replaced = end > start and not as_one
        kind = Kind.BOTH_MODIFIED if replaced else Kind.LIST_INSERT
        if replaced and any(not each.side for each in stretches):
            kind = Kind.MODIFY_DELETE
        path = self.path
        if replaced and end == start + 1 and self.base[start].value is not None:
            path = (*path, self.index[start])
        finding = ENTANGLED if as_one else None
        return list_conflict(self.place, path, kind, stretches, base, finding)


def _stretch_of(side: ListSide, hunks: set[int], start: int, end: int) -> list[Element]:
    """What a side has where the base has base[start:end], with its own of `hunks`, by `id`."""
    items: list[Element] = []
    inserted: dict[int, list[Element]] = {}
    first = bisect_left(side.hunks, start, key=lambda each: each.start)
    for hunk in takewhile(lambda each: each.start <= end, islice(side.hunks, first, None)):
        if id(hunk) in hunks:
            inserted.setdefault(hunk.start, []).extend(hunk.inserted)
    for place in range(start, end + 1):
        items += inserted.get(place, ())
        if place < end and place in side.kept:
            items.append(side.items[side.kept[place]])
    return items


def _share(insertions: Sequence[Hunk]) -> bool:
    """Whether two insertions have an element in common."""
    tokens = [token(item) for hunk in insertions for item in hunk.inserted]
    return len(set(tokens)) < len(tokens)
