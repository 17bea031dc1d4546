"""Collections whose elements have an identity: mappings, keyed lists, sets."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from bps.merge.detached import identities, paired, stand_alone
from bps.merge.elements import Element
from bps.merge.heads import Heads
from bps.merge.identity import Identify
from bps.merge.named_tuple import NamedTuple
from bps.merge.order import Orders, merged_order
from bps.merge.records import CANONICAL, Kind, Variant
from bps.merge.regions import END
from bps.merge.renames import (
    Rename,
    merged_proposal,
    proposal,
    quotes_alone,
    renames,
    under_new_name,
)
from bps.merge.run import Change, Path, Run, same, variant_of
from bps.merge.slots import Open, Slot, full_lines, taken
from bps.merge.strategies import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Ident = Hashable


class Versions(NamedTuple):
    """The elements of a collection in canonical and at every editor, by identity and in order."""

    canonical: dict[Ident, Element]
    editors: list[tuple[str, dict[Ident, Element], dict[Ident, Element]]]
    """Label, base, side; without canonical."""

    @property
    def all_editors(self) -> list[tuple[str, dict[Ident, Element], dict[Ident, Element]]]:
        """The editors, and canonical too for each base that it moved on from."""
        bases: list[dict[Ident, Element]] = []
        for _, base, _ in self.editors:
            if base is not self.canonical and all(base is not each for each in bases):
                bases.append(base)
        return [*((CANONICAL, base, self.canonical) for base in bases), *self.editors]

    def under(self, names: dict[Ident, Ident]) -> Versions:
        """The same with other identities, by those of now."""
        every = (self.canonical, *(items for editor in self.editors for items in editor[1:]))
        named = {
            id(items): {names.get(ident, ident): item for ident, item in items.items()}
            for items in every
        }
        editors = [(label, named[id(base)], named[id(side)]) for label, base, side in self.editors]
        return Versions(named[id(self.canonical)], editors)


def versions_of(
    run: Run, canonical: Element, sides: Sequence[Change], identify: Identify
) -> Versions:
    """Index all versions."""
    found = _items(run, canonical, identify)
    editors = []
    for each in sides:
        if each.label != CANONICAL:
            base = found if each.base is canonical else _items(run, each.base, identify)
            editors.append((each.label, base, paired(base, _items(run, each.side, identify))))
    if editors and editors[0][1] is not found:
        found = paired(editors[0][1], found)
    return Versions(found, editors)


def _items(run: Run, element: Element | None, identify: Identify) -> dict[Ident, Element]:
    if element is None:
        return {}
    elements = run.elements(element)
    return {} if elements is None else identities(elements.items, identify)


class Contradiction(Exception):
    """Editors moved the same elements of a list to different places."""


def merge_keyed(
    run: Run,
    path: Path,
    cursor: Cursor,
    versions: Versions,
    column: int,
    *,
    ordered: bool,
    segment: Callable[[Ident, Element], str],
    shown: Callable[[Element], dict[str, Any] | None],
) -> list[Slot]:
    """Merge a collection element by element.

    Raises:
        Contradiction: `ordered`, and editors disagree about the order of elements they all have.
    """
    heads = Heads(*versions, column)
    canonical, editors = versions = Versions(heads.canonical, heads.editors)
    found = renames(run, versions.all_editors)
    moved = found.contested
    agreed = {group[0].new: (old, group) for old, group in found.agreed.items()}
    if agreed:
        versions = versions.under({old: new for new, (old, _) in agreed.items()})
        canonical, editors = versions
    order, contradiction = _order(versions, found.alone)
    if contradiction and ordered:
        raise Contradiction
    places = set(order)
    claimed = {rename.new: old for old, group in moved.items() for rename in group}
    slots: list[Slot] = []
    detached: list[int] = []
    for place in [*order, END]:
        slots += heads.above(run, path, place, segment)
        # Where canonical deleted the element, its place is that of the renamed one.
        old = claimed.get(place)
        if old is not None and (old in places or old not in moved):
            continue
        ident = place if old is None else old
        group = moved.pop(ident, None)
        if group:
            identity = shown(group[0].old)
            slots += _renamed(run, path, cursor, ident, group, versions, column, segment, identity)
            continue
        element = canonical.get(ident)
        changes = [
            Change(label, base.get(ident), side.get(ident))
            for label, base, side in editors
            if ident in base or ident in side or run.doubts
        ]
        shape = element or next(
            (e for c in changes for e in (c.base, c.side) if e is not None), None
        )
        if shape is None:
            continue
        if not changes:
            if shape.value is None:
                detached.append(len(slots))
            slots.append(taken(shape, column))
            continue
        before = ident
        if ident in agreed:
            before, shape = agreed[ident][0], agreed[ident][1][0].element
        step = "#" if shape.value is None else segment(before, shape)
        entry: list[Slot] = run.merge_entry(
            run,
            (*path, step) if shape.value is not None else path,
            cursor.child(step),
            element,
            changes,
            column,
            shown(shape) if shape.value is not None else None,
        )
        if ident in agreed:
            old = agreed[ident][1][0].old
            entry = [under_new_name(slot, old, shape) for slot in entry]
        if entry and shape.value is None:
            detached.append(len(slots))
        slots += entry
    every = (items.values() for _, *both in editors for items in both)
    return stand_alone(slots, detached, every)


def _order(versions: Versions, renamed: dict[Ident, Ident]) -> tuple[list[Ident], bool]:
    """As `merged_order`, with what was `renamed` (old by new) in the place of the old one."""
    canonical, editors = versions
    if not renamed:
        orders = [Orders(list(base), list(side)) for _, base, side in editors]
        return merged_order(list(canonical), orders)
    every = [canonical, *(items for _, base, side in editors for items in (base, side))]
    new_names = {
        old: new
        for new, old in renamed.items()
        if not any(old in items and new in items for items in every)
    }
    old_names = {new: old for old, new in new_names.items()}

    def idents(items: dict[Ident, Element]) -> list[Ident]:
        return [old_names.get(ident, ident) for ident in items]

    orders = [Orders(idents(base), idents(side)) for _, base, side in editors]
    order, contradiction = merged_order(idents(canonical), orders)
    present = canonical.keys() | {ident for _, _, side in editors for ident in side}
    names = [each for ident in order for each in (ident, new_names.get(ident, ident))]
    return [each for each in dict.fromkeys(names) if each in present], contradiction


def _renamed(
    run: Run,
    path: Path,
    cursor: Cursor,
    ident: Ident,
    group: Sequence[Rename],
    versions: Versions,
    column: int,
    segment: Callable[[Ident, Element], str],
    identity: dict[str, Any] | None,
) -> list[Slot]:
    """An element that one editor renamed and another one changed, deleted or renamed too."""
    base = group[0].old
    by_label = {rename.label: rename for rename in group}
    sides: list[tuple[str, Variant, Variant]] = []
    told: dict[str, Element | None] = {}
    suggestion = None
    for label, own, side in versions.all_editors:
        rename = by_label.get(label)
        element = side.get(ident) if rename is None else rename.element
        before = own.get(ident)
        if rename is None and before is None:
            # Forked when the element had its new name already.
            fresh = next((each.new for each in group if each.new in own), ident)
            element, before = side.get(fresh), own.get(fresh)
        if rename is None and same(element, before):
            continue
        if label in told:
            continue
        told[label] = element
        sides.append((label, variant_of(element), variant_of(before)))
        if rename is None and element is not None and len(by_label) == 1:
            suggestion = proposal(group[0], element)
            if suggestion is None and before is base and not base.flow:
                edit = Change(label, base, element)
                suggestion = merged_proposal(run, path, cursor, group[0], edit)
    conflict, resolution = run.conflict(
        (*path, segment(ident, base)),
        Kind.RENAME_MODIFY,
        variant_of(base),
        sides,
        str(cursor.strategy or ""),
        identity=identity,
        suggestion=suggestion,
        finding=quotes_alone(ident, group),
    )
    if resolution is None:
        texts = tuple(
            (label, "" if each is None else full_lines(each, column))
            for label, each in told.items()
        )
        opened = Open(conflict, full_lines(base, column), texts)
        return [Slot(base.gap_text, (), (opened,), whole=True)]
    if resolution.text is not None:
        from bps.merge.fragments import whole_entry  # noqa: PLC0415 - only for resolutions

        return whole_entry(resolution.text, base, column)
    chosen = told.get(resolution.take or "", base)
    return [] if chosen is None else [taken(chosen, column)]
