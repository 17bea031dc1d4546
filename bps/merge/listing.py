"""Collections that several editors changed: which strategy, and the result put together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.emit import block_collection, expected_of, flow_collection
from bps.merge.identity import (
    by_fields,
    by_key,
    by_value,
    escaped,
    identity_of,
    identity_shown,
    is_set,
    key_of,
    undeclared_fields,
    unique,
)
from bps.merge.layout import of_equals
from bps.merge.records import Kind
from bps.merge.results import Conflicting, Result
from bps.merge.run import Change, Path, Run, same
from bps.merge.slots import Slot
from bps.merge.source import MAPPING
from bps.merge.strategies import KEYED, ORDERED, SET, Cursor
from bps.merge.three_way import picked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def merge_collection(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element,
    sides: Sequence[Change],
    column: int,
) -> Result | None:
    """Merge mappings, or lists, of which all versions are one and several changed.

    None where they can be taken or left as a whole only: a shape that does not come apart.
    """
    layout = _layout(canonical, sides)
    before = len(run.conflicts)
    node = layout.value
    assert node is not None  # noqa: S101 - all versions have a collection here
    all_elements = [canonical, *(e for each in sides for e in (each.base, each.side) if e)]
    cut = [run.elements(each) for each in all_elements]
    if any(each is None for each in cut):
        return None
    # The first base first, and every version once: canonical is often a base too.
    distinct = {id(each): each for each in (cut[1], *cut)}
    versions = [each.entries for each in distinct.values() if each is not None]
    target = column + node.column - layout.column if node.block else 0
    slots: list[Slot] | Conflicting
    if node.kind == MAPPING:
        if not all(unique(entries, by_key) for entries in versions):
            return Conflicting(Kind.IDENTITY, "", "a key occurs twice")
        from bps.merge.keyed import merge_keyed, versions_of  # noqa: PLC0415 - see `bps.merge.rows`

        slots = merge_keyed(
            run,
            path,
            cursor,
            versions_of(run, canonical, sides, by_key),
            target,
            ordered=False,
            segment=lambda _, element: escaped(key_of(element)),
            shown=lambda _: None,
        )
        keys = [slot.key for slot in slots if slot.key is not None]
        if not all(isinstance(key, str) for key in keys):
            from bps.merge.confusions import confused_keys  # noqa: PLC0415 - most keys are text

            for message in confused_keys(keys, versions):
                run.notice(path, message)
    else:
        slots = _list(run, path, cursor, canonical, sides, versions, target)
    if isinstance(slots, Conflicting):
        return slots
    if not node.block:
        fresh = flow_collection(layout, node, slots)
        if fresh is None:
            first = min(run.conflicts[before:], key=lambda each: (each.path, each.kind))
            return Conflicting(first.kind, str(cursor.strategy or ""))
        return fresh
    elements = run.elements(layout)
    assert elements is not None  # noqa: S101 - asked above
    expected = expected_of(node.kind, slots)
    tail = _tail(run, canonical, sides, elements.tail)
    return block_collection(layout, node, tail, slots, target, expected)


def _tail(run: Run, canonical: Element, sides: Sequence[Change], own: str) -> str:
    """The blank lines behind the last entry, where `own` are those of the style's version."""
    edits = [(_tail_in(run, each.base), _tail_in(run, each.side)) for each in sides]
    if all(base == side for base, side in edits):
        return own
    return picked(_tail_in(run, canonical), edits)


def _tail_in(run: Run, element: Element | None) -> str:
    elements = None if element is None else run.elements(element)
    return "" if elements is None else elements.tail


def _layout(canonical: Element, sides: Sequence[Change]) -> Element:
    """Whose style the result has: canonical's, or that of the one who changed it alone.

    Block style before flow, for it holds what flow style holds and more.
    """
    shapes = [(_shape(each.base), _shape(each.side)) for each in sides]
    pairs = zip(sides, shapes, strict=True)
    reshaped = [(each, its) for each, (base, its) in pairs if base != its and its]
    own = _shape(canonical)
    if own and len({its for _, its in reshaped}) == 1 and all(own == base for base, _ in shapes):
        return of_equals([each for each, _ in reshaped])
    if canonical.value is not None and canonical.value.block:
        return canonical
    block = [each for each in sides if each.side and each.side.value and each.side.value.block]
    return of_equals(block) if block else canonical


def _shape(element: Element | None) -> tuple[int, bool] | None:
    """How far a block collection is indented, and whether it begins behind a dash."""
    value = None if element is None else element.value
    if element is None or value is None or not value.block:
        return None
    return value.column - element.column, element.compact


def _list(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element,
    sides: Sequence[Change],
    versions: Sequence[Sequence[Element]],
    column: int,
) -> list[Slot] | Conflicting:
    strategy = cursor.strategy
    name = "" if strategy is None else strategy.name
    fields: tuple[str, ...] = ()
    if strategy is not None and name == KEYED:
        fields = strategy.fields
        if not all(unique(entries, by_fields(fields)) for entries in versions):
            finding = f"an element lacks {', '.join(fields)}, or two have the same"
            return Conflicting(Kind.IDENTITY, str(strategy), finding)
    elif name == SET:
        if not all(unique(entries, by_value) for entries in versions):
            return Conflicting(Kind.IDENTITY, SET, "an element occurs twice")
        return _keyed(run, path, cursor, canonical, sides, (), column, ordered=False)
    elif name != ORDERED:
        fields = undeclared_fields(versions)
    if fields:
        return _keyed(run, path, cursor, canonical, sides, fields, column, ordered=True)
    union = name == "" and is_set(versions)
    if union and _apart(run, canonical, sides):
        return _keyed(run, path, cursor, canonical, sides, (), column, ordered=True)
    from bps.merge.ordered import merge_ordered  # noqa: PLC0415 - not every merge has such a list

    return merge_ordered(run, path, cursor, canonical, sides, column, union=union)


def _apart(run: Run, canonical: Element, sides: Sequence[Change]) -> bool:
    """Whether a set's editors forked from different lists, and no two added the same scalar.

    Nor two scalars of one name.
    """
    if all(same(sides[0].base, each.base) for each in sides[1:]):
        return False
    from bps.merge.naming import names_in  # noqa: PLC0415 - not every merge has such a list

    added: set[Hashable] = set()
    edits = {(each.base, each.side) for each in sides}
    for base, side in edits:
        fresh = _values(run, side) - _values(run, base)
        if fresh & added:
            return False
        added |= fresh
    edits |= {(each.base, canonical) for each in sides}
    additions = [_added(run, base, side) for base, side in edits]
    return not names_in(additions, [_entries(run, version) for edit in edits for version in edit])


def _entries(run: Run, element: Element | None) -> Sequence[Element]:
    elements = None if element is None else run.elements(element)
    return () if elements is None else elements.entries


def _values(run: Run, element: Element | None) -> set[Hashable]:
    return {by_value(each) for each in _entries(run, element)}


def _added(run: Run, base: Element | None, side: Element | None) -> list[Element]:
    known = _values(run, base)
    return [each for each in _entries(run, side) if by_value(each) not in known]


def _keyed(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element,
    sides: Sequence[Change],
    fields: tuple[str, ...],
    column: int,
    *,
    ordered: bool,
) -> list[Slot] | Conflicting:
    from bps.merge.keyed import (  # noqa: PLC0415 - see `bps.merge.rows`
        Contradiction,
        merge_keyed,
        versions_of,
    )

    identify = by_fields(fields) if fields else by_value
    indexes: dict[Hashable, int] = {}
    for each in (sides[0].base, canonical, *(e.side for e in sides)):
        elements = None if each is None else run.elements(each)
        for index, entry in enumerate(elements.entries if elements is not None else ()):
            indexes.setdefault(identify(entry), index)

    def segment(ident: Hashable, element: Element) -> str:
        own = identity_of(element, fields) if fields else ident
        return str(indexes.get(ident, indexes.get(own, 0)))

    def shown(element: Element) -> dict[str, Any] | None:
        return identity_shown(element, fields) if fields else None

    try:
        return merge_keyed(
            run,
            path,
            cursor,
            versions_of(run, canonical, sides, identify),
            column,
            ordered=ordered,
            segment=segment,
            shown=shown,
        )
    except Contradiction:
        finding = "elements that all have were moved to different places"
        return Conflicting(Kind.BOTH_MODIFIED, str(cursor.strategy or ORDERED), finding)
