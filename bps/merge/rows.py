"""Collections of which every version has the same entries in one order: most edits are of values.

Then no entry came, went, moved or was renamed, and no comment between two of them changed. What
one version's lines say of the entries that are the same everywhere needs no merge: they are taken
as one stretch of text, and only the others are looked at one by one. The result is what
`bps.merge.listing` makes of the same versions without this.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element, Opaque, tail_at
from bps.merge.emit import block_collection
from bps.merge.identity import identity_of, identity_shown, undeclared_fields, unique
from bps.merge.records import CANONICAL
from bps.merge.results import Fresh
from bps.merge.row_version import RowVersion
from bps.merge.run import Change, Path, Run
from bps.merge.slots import Computed, Expected, Slot, taken
from bps.merge.source import MAPPING
from bps.merge.strategies import KEYED, ORDERED, SET, Cursor
from bps.merge.twins import Piece, row_of


def merge_rows(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element,
    sides: Sequence[Change],
    column: int,
) -> Fresh | None:
    """Merge the entries that differ; None where versions differ in more than the entries' values.

    Cost: one comparison of pointers an entry, and what merging those that differ costs.
    """
    if run.doubts:
        # What is in doubt may be inside an entry that nobody changed.
        return None
    versions = _versions(canonical, sides)
    if versions is None:
        return None
    own = versions[id(canonical)]
    others = [each for each in versions.values() if each is not own]
    differing = _differing(own, others)
    fields = () if own.node.kind == MAPPING else _fields(cursor, own.row.pieces)
    if fields is None or not _alike(own, others, differing, fields):
        return None
    target = column + own.node.column - canonical.column
    if target != own.node.column:
        return None
    editors = [
        (label, versions[id(base)], versions[id(side)])
        for label, base, side in sides
        if label != CANONICAL
    ]
    slots: list[Slot] = []
    children: list[tuple[Hashable, Expected | None]] = []
    done = 0
    edits: dict[int, RowVersion] = {}
    for index in differing:
        step = own.step(index)
        edit = _only_edit(own, editors, index)
        if edit is not None:
            labels, edits[index] = edit
            run.origin((*path, step), "changed", labels)
            continue
        _take(own, done, index, edits, slots, children)
        slots += [taken(each, target) for each in own.comments(index)]
        element = own.entry(index)
        changes = [
            Change(label, base.entry(index), side.entry(index)) for label, base, side in editors
        ]
        shown = identity_shown(element, fields) if fields else None
        merged: list[Slot] = run.merge_entry(
            run, (*path, step), cursor.child(step), element, changes, target, shown
        )
        slots += merged
        children += [(slot.key, slot.expected) for slot in merged]
        done, edits = index + 1, {}
    _take(own, done, len(own.row.pieces), edits, slots, children)
    behind: list[Element] = []
    stop = own.stop(len(own.row.pieces) - 1)
    tail = tail_at(own.node, stop, canonical.end, behind) if stop < canonical.end else ""
    slots += [taken(each, target) for each in behind]
    expected = Computed(own.node.kind, tuple(children))
    return block_collection(canonical, own.node, tail, slots, target, expected)


def _versions(canonical: Element, sides: Sequence[Change]) -> dict[int, RowVersion] | None:
    """Every version once, by its element's `id`; None where one has no row, or another shape."""
    found: dict[int, RowVersion] = {}
    shape = None
    for element in (canonical, *(e for each in sides for e in (each.base, each.side))):
        if element is None or element.value is None:
            return None
        if id(element) in found:
            continue
        row, by = row_of(element.value)
        if row is None:
            return None
        version = found[id(element)] = RowVersion(element, element.value, row, by)
        shape = shape or version.shape
        if version.shape != shape:
            return None
    return found


def _differing(own: RowVersion, others: Sequence[RowVersion]) -> list[int]:
    """The entries that do not have the same lines in all versions."""
    pieces = own.row.pieces
    found: set[int] = set()
    for other in others:
        pairs = enumerate(zip(pieces, other.row.pieces, strict=True))
        found.update([index for index, (mine, its) in pairs if mine is not its])
    return sorted(found)


def _only_edit(
    own: RowVersion, editors: Sequence[tuple[str, RowVersion, RowVersion]], index: int
) -> tuple[list[str], RowVersion] | None:
    """Who changed an entry to what, if all have one base and who changed it made it the same.

    The last entry is left out, for its text may differ by the newline behind it alone.
    """
    piece = own.row.pieces[index]
    labels: list[str] = []
    only: RowVersion | None = None
    for label, base, side in editors:
        its = side.row.pieces[index]
        if base.row.pieces[index] is not piece or index == len(own.row.pieces) - 1:
            return None
        if its is piece:
            continue
        if only is not None and its is not only.row.pieces[index]:
            return None
        labels.append(label)
        only = side
    return None if only is None else (labels, only)


def _fields(cursor: Cursor, pieces: Sequence[Piece]) -> tuple[str, ...] | None:
    """What identifies the elements of a list; None where they are merged by their places."""
    strategy = cursor.strategy
    if strategy is not None and strategy.name in {SET, ORDERED}:
        return None
    if strategy is not None and strategy.name == KEYED:
        fields = strategy.fields
        return fields if unique(pieces, lambda piece: identity_of(piece, fields)) else None
    return undeclared_fields([pieces]) or None


def _alike(
    own: RowVersion, others: Sequence[RowVersion], differing: Sequence[int], fields: tuple[str, ...]
) -> bool:
    """Whether entries are the same ones, each once, and all between them has the same text."""
    last = len(own.row.pieces) - 1
    if not fields:
        keys = [piece.key and piece.key.data for piece in own.row.pieces]
        # Keys that are no text may be taken for one another, which is told in a notice.
        if len(set(keys)) < len(keys) or not all(isinstance(key, str) for key in keys):
            return False
    try:
        own.comments(0)
        behind = {index: own.behind(index) for index in differing}
        # A collection that does not come apart line by line is not merged like this.
        for index in range(last + 1):
            own.come_apart(index)
        length = own.element.end - own.begins[last]
        for other in others:
            its_length = other.element.end - other.begins[last]
            if other.before() != own.before() or (last not in behind and its_length != length):
                return False
        for index, text in behind.items():
            mine = own.row.pieces[index]
            identity = _identity(mine, fields)
            for other in others:
                its = other.row.pieces[index]
                if its is mine and index != last:
                    continue
                if _identity(its, fields) != identity or other.behind(index) != text:
                    return False
    except Opaque:
        return False
    return True


def _identity(piece: Piece, fields: tuple[str, ...]) -> Hashable:
    return identity_of(piece, fields) if piece.key is None else piece.key.data


def _take(
    own: RowVersion,
    start: int,
    end: int,
    edits: dict[int, RowVersion],
    slots: list[Slot],
    children: list[tuple[Hashable, Expected | None]],
) -> None:
    """The entries from `start` to `end`, with the comments before each, as one slot.

    Of those in `edits` the lines of another version are taken, with what stands behind them, which
    is the same in all versions.
    """
    if start == end:
        return
    text, at, stop = own.node.source.text, own.opening(start), own.stop(end - 1)
    pieces = list(own.row.pieces[start:end])
    whole = not own.inline or start > 0
    comments = own.comments(start) if whole else []
    lead = comments[0].lead if comments else own.lead(start) if whole else at
    lines, done = [], lead
    for index, side in edits.items():
        pieces[index - start] = side.row.pieces[index]
        last = index == end - 1
        lines += [text[done : max(done, own.begins[index])], side.lines(index, behind=not last)]
        done = stop if last else own.begins[index + 1]
    lines.append(text[done:stop])
    children += [(piece.key and piece.key.data, piece.value) for piece in pieces]
    slots.append(Slot(text[at:lead], (), ("".join(lines),), whole=whole))
