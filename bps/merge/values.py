"""The value of an entry that several editors changed: taken, merged, or in conflict."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.comment_text import comments_inside
from bps.merge.elements import Element
from bps.merge.layout import of_equals
from bps.merge.records import CANONICAL, Kind
from bps.merge.results import Conflicting, Result
from bps.merge.rows import merge_rows
from bps.merge.run import Change, Path, Run
from bps.merge.source import MAPPING, SCALAR, SEQUENCE, Node
from bps.merge.strategies import ATOMIC, MAX, TEXT, Cursor


def merge_value(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element,
    sides: Sequence[Change],
    column: int,
) -> Result:
    """Decide on a value that all versions have; its key and comments are not looked at.

    Returns the entry whose value it is, a fresh one, or why it is in conflict.
    """
    if in_parts(cursor, canonical, sides):
        quick = merge_rows(run, path, cursor, canonical, sides, column)
        if quick is not None:
            return quick
        run.by_rows = False
        from bps.merge.listing import merge_collection  # noqa: PLC0415 - see `bps.merge.rows`

        result = merge_collection(run, path, cursor, canonical, sides, column)
        if result is None and not cursor:
            from bps.merge.opaque import merge_opaque  # noqa: PLC0415 - few do not come apart

            result = merge_opaque(run, path, canonical, sides, column)
        if result is not None:
            return result
    run.by_rows = False
    by_data: dict[Hashable, list[Change]] = {}
    for each in sides:
        if _value(each.base).data != _value(each.side).data:
            by_data.setdefault(_value(each.side).data, []).append(each)
    strategy = cursor.strategy
    name = "" if strategy is None else strategy.name
    if not by_data:
        return _by_comments(canonical, sides)
    if len(by_data) == 1:
        winners = next(iter(by_data.values()))
        return _one_edit(run, path, winners, [e for e in sides if e not in winners])
    if strategy is not None and name == MAX:
        return _greatest(run, path, strategy.order, sides)
    if name in {"", TEXT} and all(_value(e).block_scalar for e in _elements(canonical, sides)):
        from bps.merge.texts import merge_block_scalars  # noqa: PLC0415 - few are edited twice

        text = merge_block_scalars(run, path, canonical, sides, column)
        if text is not None:
            return text
        return Conflicting(Kind.BOTH_MODIFIED, TEXT)
    kinds = {_value(e).kind for e in _elements(canonical, sides)}
    kind = Kind.TYPE_CHANGE if len(kinds) > 1 else Kind.BOTH_MODIFIED
    return Conflicting(kind, str(strategy or ""))


def _value(element: Element | None) -> Node:
    assert element is not None  # noqa: S101 - all versions have the entry
    assert element.value is not None  # noqa: S101 - and it is no comment
    return element.value


def _elements(canonical: Element, sides: Sequence[Change]) -> list[Element]:
    found = [canonical]
    for each in sides:
        found += [element for element in (each.base, each.side) if element is not None]
    return found


def in_parts(cursor: Cursor, canonical: Element, sides: Sequence[Change]) -> bool:
    """Whether all versions are mappings, or all lists, alike in anchor and tag, and not atomic."""
    first = canonical.value
    if first is None or first.kind not in {MAPPING, SEQUENCE}:
        return False
    if cursor.strategy is not None and cursor.strategy.name == ATOMIC:
        return False
    kind, anchor, tag = first.kind, first.anchor, first.tag
    for change in sides:
        for element in (change.base, change.side):
            node = first if element is None else _value(element)
            if node.kind != kind or node.anchor != anchor or node.tag != tag:
                return False
    return True


def _one_edit(run: Run, path: Path, winners: Sequence[Change], others: Sequence[Change]) -> Result:
    """All who changed the data made it the same: theirs, if no comment gets lost with the others'.

    Comments before the entry and at its line's end were merged apart; those inside it count here.
    """
    inside = {_inside(each.side) for each in winners}
    if len(inside) > 1 or any(_inside(e.base) != _inside(e.side) for e in others):
        return Conflicting(Kind.COMMENT)
    run.origin(path, "changed", [each.label for each in winners])
    return of_equals(winners)


def _inside(element: Element | None) -> tuple[str, ...]:
    return () if element is None else comments_inside(element)


def _by_comments(canonical: Element, sides: Sequence[Change]) -> Result:
    """The data did not change; the comments inside did, or the layout."""
    changed = [each for each in sides if _inside(each.base) != _inside(each.side)]
    if len({_inside(each.side) for each in changed}) > 1:
        return Conflicting(Kind.COMMENT)
    if changed:
        return of_equals(changed)
    by_canonical = any(each.label == CANONICAL for each in sides)
    fresh = [each for each in sides if _value(each.side).text != _value(each.base).text]
    return canonical if by_canonical or not fresh else of_equals(fresh)


def _greatest(run: Run, path: Path, order: str, sides: Sequence[Change]) -> Result:
    from bps.merge.extremes import greatest  # noqa: PLC0415 - only where a policy says `max`

    strategy = f"{MAX}: {order}"
    values = [_value(each.side) for each in sides]
    if any(value.kind != SCALAR for value in values):
        return Conflicting(Kind.TYPE_CHANGE, strategy)
    index = greatest(order, [value.value for value in values])
    if index is None:
        return Conflicting(Kind.BOTH_MODIFIED, strategy)
    run.origin(path, "merged", [each.label for each in sides])
    side = sides[index].side
    assert side is not None  # noqa: S101 - all versions have the entry
    return side
