"""Ordered lists: diff3 on elements against one base, recursive on the elements that match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bps.merge.alignment import LIKENESS, align, token
from bps.merge.elements import Element
from bps.merge.fragments import list_items
from bps.merge.records import CANONICAL, Kind
from bps.merge.results import Conflicting
from bps.merge.run import Change, Path, Run, same, union_variant
from bps.merge.slots import Open, Slot, full_lines, taken
from bps.merge.strategies import Cursor


class Hunk(NamedTuple):
    """base[start:end], none of which the side `who` kept, became `inserted`."""

    start: int
    end: int
    who: int
    inserted: list[Element]


class _Side(NamedTuple):
    label: str
    items: list[Element]
    kept: dict[int, int]
    hunks: list[Hunk]


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

    `union`: insertions of several editors in one gap all go in, each once (undeclared sets).
    `alike` is how much two elements must have in common to be one that was edited; `prefix`
    stands before their indexes in paths.
    """
    bases = [each.base for each in changes]
    if any(not same(bases[0], other) for other in bases[1:]):
        return Conflicting(Kind.BOTH_MODIFIED, "", "the editors forked from different lists")
    base = _items(run, bases[0])
    sides = [_side(run, base, each, who, alike) for who, each in enumerate(changes)]
    if _entangled(run, base, sides, union=union):
        finding = "the same element was moved, or added in different places"
        return Conflicting(Kind.LIST_INSERT, str(cursor.strategy or ""), finding)
    merge = _OrderedMerge(run, path, cursor, canonical, base, sides, column, prefix, union=union)
    return merge.slots()


def _items(run: Run, element: Element | None) -> list[Element]:
    elements = None if element is None else run.elements(element)
    return [] if elements is None else elements.items


def _side(run: Run, base: Sequence[Element], change: Change, who: int, alike: float) -> _Side:
    items = _items(run, change.side)
    pairs = align(base, items, alike)
    hunks = []
    at_base = at_side = 0
    for i, j in [*pairs, (len(base), len(items))]:
        if at_base < i or at_side < j:
            hunks.append(Hunk(at_base, i, who, items[at_side:j]))
        at_base, at_side = i + 1, j + 1
    return _Side(change.label, items, dict(pairs), hunks)


def _entangled(run: Run, base: Sequence[Element], sides: Sequence[_Side], *, union: bool) -> bool:
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
                elif not union:
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


class _OrderedMerge:
    """The walk along the base."""

    def __init__(
        self,
        run: Run,
        path: Path,
        cursor: Cursor,
        canonical: Element,
        base: list[Element],
        sides: list[_Side],
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
        for group in _groups(self.sides):
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
        if self.union and pure:
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
        present = {
            token(self.base[place])
            for place in range(len(self.base))
            if all(place in side.kept for side in self.sides)
        }
        for place in range(start, end + 1):
            for hunk in sorted(group, key=lambda each: each.who):
                if hunk.inserted and hunk.start == place:
                    fresh = [e for e in hunk.inserted if token(e) not in present]
                    present |= {token(each) for each in fresh}
                    slots += self._inserted(fresh, [hunk.who])
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


def _stretch_of(side: _Side, group: list[Hunk], start: int, end: int) -> list[Element]:
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


def _groups(sides: Sequence[_Side]) -> list[list[Hunk]]:
    """Hunks that are in each other's way, directly or by others, along the base."""
    hunks = sorted((h for side in sides for h in side.hunks), key=lambda h: (h.start, h.end, h.who))
    groups: list[list[Hunk]] = []
    for hunk in hunks:
        reached = [
            group
            for group in groups[-len(sides) - 1 :]
            if any(_in_the_way(hunk, each) for each in group)
        ]
        joined = [each for group in reached for each in group]
        groups = [group for group in groups if not any(group is each for each in reached)]
        groups.append([*joined, hunk])
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
