"""Collections that do not come apart entry by entry: merged line by line, and held to their data.

Comments between the items of a flow collection, and keys written as `? key`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.lines import Contested, merge_lines, split_lines
from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.results import Fresh
from bps.merge.run import Change, Path, Run, same
from bps.merge.slots import moved
from bps.merge.source import MAPPING, SEQUENCE, Node, Source


def merge_opaque(
    run: Run, path: Path, canonical: Element, sides: Sequence[Change], column: int
) -> Fresh | None:
    """Merge the lines of a collection that all versions have; None where that decides nothing.

    That is where editors' lines touch, where they forked from different versions, and where the
    lines put together are not, entry by entry, what each entry must be.
    """
    base = sides[0].base
    if base is None or not all(same(base, each.base) for each in sides):
        return None
    merged: list[str] = []
    lines = [split_lines(_region(each.side)) for each in sides]
    for chunk in merge_lines(split_lines(_region(base)), lines):
        if isinstance(chunk, Contested):
            return None
        merged += chunk.lines
    text = "".join(merged)
    node = _read(text, base)
    values = [each.side.value for each in sides if each.side is not None]
    if node is None or not _holds(base.value, values, node):
        return None
    value = canonical.value
    assert value is not None  # noqa: S101 - all versions have a collection here
    run.origin(path, "merged", [each.label for each in sides])
    whole = value.block and not canonical.compact
    placed = moved(text, column - canonical.column, first_line=whole)
    after = "" if value.block else canonical.source.text[value.end : canonical.end]
    return Fresh(canonical, (placed,), node, block=value.block, after=after)


def _region(element: Element | None) -> str:
    """The lines of a block collection's entries, or a flow collection."""
    value = None if element is None else element.value
    assert element is not None  # noqa: S101 - all versions have a collection here
    assert value is not None  # noqa: S101
    if value.block:
        return element.source.text[element.head_end : element.end]
    return value.text


def _read(text: str, shape: Element) -> Node | None:
    """The collection that the merged lines are, in the style of `shape`."""
    value = shape.value
    assert value is not None  # noqa: S101 - all versions have a collection here
    before = " " * value.column
    if not shape.compact:
        before = value.source.text[value.start : shape.head_end] if value.block else ""
    try:
        documents = parse(Source("merged lines", before + text))
    except Unreadable:
        return None
    root = documents[0].root if len(documents) == 1 else None
    if root is None or (root.kind, root.flow) != (value.kind, value.flow):
        return None
    return root


_MISSING = ("missing",)


def _data(node: Node | None) -> Hashable:
    return _MISSING if node is None else node.data


def _holds(base: Node | None, sides: Sequence[Node | None], result: Node | None) -> bool:
    """Whether a result is what each of its entries must be, order aside."""
    edits = {_data(side): side for side in sides if _data(side) != _data(base)}
    if len(edits) <= 1:
        return _data(result) in (edits or {_data(base)})
    nodes = [base, result, *edits.values()]
    known = [each for each in nodes if each is not None]
    first = known[0]
    shapes = {(each.kind, each.anchor, each.tag) for each in known}
    if len(known) < len(nodes) or len(shapes) > 1:
        return False
    if first.kind == SEQUENCE:
        return _holds_items(*([child.data for child in each.children] for each in known))
    if first.kind != MAPPING:
        return False
    members = [{key.data: value for key, value in each.pairs()} for each in known]
    if any(len(its) < len(each.pairs()) for its, each in zip(members, known, strict=True)):
        return False
    ours, merged, *theirs = members
    return all(
        _holds(ours.get(key), [its.get(key) for its in theirs], merged.get(key))
        for key in set().union(*members)
    )


def _holds_items(base: list[Hashable], result: list[Hashable], *sides: list[Hashable]) -> bool:
    """Whether every item that one editor added or took away is so, and no two did that to one."""
    before = Counter(base)
    expected = Counter(base)
    touched: set[Hashable] = set()
    for side in sides:
        after = Counter(side)
        for each in before.keys() | after.keys():
            change = after[each] - before[each]
            if change and each in touched:
                return False
            if change:
                touched.add(each)
                expected[each] += change
    return +expected == Counter(result)
