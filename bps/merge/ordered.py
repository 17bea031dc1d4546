"""Ordered lists: diff3 on elements against one base, recursive on the elements that match."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.alignment import LIKENESS, token
from bps.merge.elements import Element
from bps.merge.fragments import list_items
from bps.merge.hunks import (
    Hunk,
    ListSide,
    entangled,
    hunk_groups,
    list_items_of,
    list_side,
)
from bps.merge.records import CANONICAL, Kind
from bps.merge.results import Conflicting
from bps.merge.run import Change, Path, Run, same, union_variant
from bps.merge.slots import Open, Slot, full_lines, taken
from bps.merge.strategies import Cursor


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
) -> list[Slot] | Conflicting:
    """Merge lists element by element; the whole list is in conflict where elements moved apart.

    `union`: insertions of several editors in one gap all go in (undeclared sets), unless they
    share an element: `--cpu, 2` and `--mem, 2` are no sets.
    `alike` is how much two elements must have in common to be one that was edited; `prefix`
    stands before their indexes in paths.
    """
    bases = [each.base for each in changes]
    if any(not same(bases[0], other) for other in bases[1:]):
        return Conflicting(Kind.BOTH_MODIFIED, "", "the editors forked from different lists")
    base = list_items_of(run, bases[0])
    sides = [list_side(run, base, each, who, alike) for who, each in enumerate(changes)]
    if entangled(run, base, sides):
        finding = "the same element was moved, or added in different places"
        return Conflicting(Kind.LIST_INSERT, str(cursor.strategy or ""), finding)
    merge = _OrderedMerge(run, path, cursor, canonical, base, sides, column, prefix, union=union)
    return merge.slots()


class _OrderedMerge:
    """The walk along the base."""

    def __init__(
        self,
        run: Run,
        path: Path,
        cursor: Cursor,
        canonical: Element,
        base: list[Element],
        sides: list[ListSide],
        column: int,
        prefix: str,
        *,
        union: bool,
    ) -> None:
        self.run = run
        self.path = path
        self.cursor = cursor
        self.column = column
        self.base = base
        self.sides = sides
        self.union = union
        self.canonical = canonical
        self.index = [""] * len(base)
        count = 0
        for place, item in enumerate(base):
            self.index[place] = f"{prefix}{count}"
            count += item.value is not None

    def slots(self) -> list[Slot]:
        slots: list[Slot] = []
        at = 0
        for group in hunk_groups(self.sides):
            start = min(hunk.start for hunk in group)
            end = max(hunk.end for hunk in group)
            slots += self._matched(at, start)
            slots += self._stretch(group, start, end)
            at = max(at, end)
        return slots + self._matched(at, len(self.base))

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

    def _stretch(self, group: list[Hunk], start: int, end: int) -> list[Slot]:
        """Where at least one side deleted or inserted."""
        insertions = [hunk for hunk in group if hunk.inserted]
        if not insertions:
            return [slot for place in range(start, end) for slot in self._deleted(place)]
        whos = {hunk.who for hunk in group}
        if len(whos) == 1:
            hunk = group[0]
            if all(self._untouched(place, hunk.who) for place in range(start, end)):
                return self._inserted(hunk.inserted, [hunk.who])
            return self._contested(group, start, end)
        texts = [[self.run.contents(e) for e in hunk.inserted] for hunk in insertions]
        alike = all(text == texts[0] for text in texts)
        same_place = all((hunk.start, hunk.end) == (start, end) for hunk in group)
        if alike and same_place and len(insertions) == len(group):
            return self._inserted(insertions[0].inserted, sorted(whos))
        pure = all(hunk.start == hunk.end for hunk in insertions)
        if self.union and pure and not _share(insertions):
            return self._united(group, start, end)
        return self._contested(group, start, end)

    def _untouched(self, place: int, deleter: int) -> bool:
        """Whether no other side edited an element that `deleter` replaced."""
        for who, side in enumerate(self.sides):
            if (
                who != deleter
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

    def _united(self, group: list[Hunk], start: int, end: int) -> list[Slot]:
        """Insertions of several sides into one gap of a set, each element once."""
        slots: list[Slot] = []
        for place in range(start, end + 1):
            for hunk in sorted(group, key=lambda each: each.who):
                if hunk.inserted and hunk.start == place:
                    slots += self._inserted(hunk.inserted, [hunk.who])
            if place < end:
                slots += self._deleted(place)
        return slots

    def _contested(self, group: list[Hunk], start: int, end: int) -> list[Slot]:
        """The whole stretch in conflict."""
        run, column = self.run, self.column
        base = self.base[start:end]
        variants = []
        texts = []
        kept_by_side = []
        base_variant = union_variant(base, column)
        for side in self.sides:
            items = _stretch_of(side, group, start, end)
            kept_by_side.append((side.label, items))
            if [run.contents(e) for e in items] == [run.contents(e) for e in base]:
                continue
            variants.append((side.label, union_variant(items, column), base_variant))
            texts.append((side.label, "".join(full_lines(e, column) for e in items)))
        replaced = end > start
        kind = Kind.BOTH_MODIFIED if replaced else Kind.LIST_INSERT
        if replaced and any(not text for _, text in texts):
            kind = Kind.MODIFY_DELETE
        place = self.path
        if end == start + 1 and self.base[start].value is not None:
            place = (*self.path, self.index[start])
        conflict, resolution = run.conflict(
            place, kind, base_variant, variants, str(self.cursor.strategy or "")
        )
        if resolution is None:
            base_text = "".join(full_lines(each, column) for each in base)
            first = next((each for _, items in [("", base), *kept_by_side] for each in items), None)
            gap = "" if first is None else first.gap_text
            return [Slot(gap, (), (Open(conflict, base_text, tuple(texts)),), whole=True)]
        if resolution.text is not None:
            return list_items(resolution.text, column)
        chosen = dict(kept_by_side).get(resolution.take or "", base)
        return [taken(each, column) for each in chosen]


def _stretch_of(side: ListSide, group: list[Hunk], start: int, end: int) -> list[Element]:
    """What a side has where the base has base[start:end]."""
    items: list[Element] = []
    mine = [hunk for hunk in side.hunks if any(hunk is each for each in group)]
    for place in range(start, end + 1):
        for hunk in mine:
            if hunk.start == place:
                items += hunk.inserted
        if place < end and place in side.kept:
            items.append(side.items[side.kept[place]])
    return items


def _share(insertions: Sequence[Hunk]) -> bool:
    """Whether two insertions have an element in common."""
    tokens = [token(item) for hunk in insertions for item in hunk.inserted]
    return len(set(tokens)) < len(tokens)
