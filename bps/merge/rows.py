"""Collections of which every version has the same entries in one order: most edits are of values.

Then no entry came, went, moved or was renamed, and no comment between two of them changed. What
one version's lines say of the entries that are the same everywhere needs no merge: they are taken
as one stretch of text, and only the others are looked at one by one. The result is what
`bps.merge.listing` makes of the same versions without this.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element, Opaque, tail_at, trivia
from bps.merge.emit import block_collection
from bps.merge.identity import escaped, identity_of, identity_shown, undeclared_fields, unique
from bps.merge.records import CANONICAL
from bps.merge.results import Fresh
from bps.merge.run import Change, Path, Run
from bps.merge.slots import Computed, Expected, Slot, taken
from bps.merge.source import MAPPING, Node
from bps.merge.strategies import KEYED, ORDERED, SET, Cursor
from bps.merge.stretches import content_end
from bps.merge.twins import Layout, Piece, Row, entry_end, layout_at, pair_at, row_of


class Version:
    """One version of a collection, of which no entry is made before it is asked for."""

    __slots__ = (
        "_by",
        "_first",
        "_known",
        "_stop",
        "begins",
        "element",
        "inline",
        "node",
        "row",
        "start",
    )

    def __init__(self, element: Element, node: Node, row: Row, by: int) -> None:
        self.element = element
        self.node = node
        self.row = row
        self._by = by
        self.begins = [begin + by for begin in row.begins] if by else row.begins
        self.start = element.head_end
        self.inline = self.start > self.begins[0]
        self._first: tuple[list[Element], int, int] | None = None
        self._stop: int | None = None
        self._known: dict[int, Element] = {}

    @property
    def shape(self) -> tuple[int, int, int, bool]:
        """What must be equal for lines to mean the same: number, columns, and how it begins."""
        return len(self.row.pieces), self.element.column, self.node.column, self.inline

    def stop(self, index: int) -> int:
        """Where an entry ends. Raises Opaque."""
        if index < len(self.begins) - 1:
            return self.begins[index] + self._layout(index).end
        if self._stop is None:
            at = max(self.start, self.begins[index])
            self._stop = entry_end(self.node, self.row, self._by, index, at, self.element.end)
        return self._stop

    def come_apart(self, index: int) -> None:
        """Raises Opaque where an entry cannot be told from what stands behind it."""
        if index == len(self.begins) - 1:
            self.stop(index)
        elif self.row.pieces[index].layout is None:
            text, end = self.node.source.text, self.begins[index + 1]
            at = max(self.start, self.begins[index])
            # Told by lines there are but blanks and comments behind it.
            if content_end(text, at, end, self.node.column) is None:
                self._layout(index)

    def behind(self, index: int) -> str:
        """The blanks and comments between an entry and the next one or the end. Raises Opaque."""
        last = index == len(self.row.pieces) - 1
        end = self.element.end if last else self.begins[index + 1]
        return self.node.source.text[self.stop(index) : end]

    def before(self) -> str:
        """The blanks and comments before the first entry."""
        return "" if self.inline else self.node.source.text[self.start : self.begins[0]]

    def opening(self, index: int) -> int:
        """Where the blanks and comments before an entry begin."""
        return self.stop(index - 1) if index else self.start

    def comments(self, index: int) -> list[Element]:
        """The detached comments before an entry. Raises Opaque."""
        if not index:
            return self._opened()[0]
        begin, source, column = self.begins[index - 1], self.node.source, self.node.column
        return [
            Element(source, column, begin + gap, begin + lead, begin + end, begin + end, None, None)
            for gap, lead, end in self._layout(index - 1).comments
        ]

    def lead(self, index: int) -> int:
        """Where the comment lines of an entry begin. Raises Opaque."""
        return self.begins[index - 1] + self._layout(index - 1).lead if index else self._opened()[2]

    def entry(self, index: int) -> Element:
        """An entry, made once. Raises Opaque."""
        found = self._known.get(index)
        if found is None:
            found = self._known[index] = self._entry(index)
        return found

    def step(self, index: int) -> str:
        """The segment of an entry's JSON Pointer."""
        key = self.row.pieces[index].key
        return str(index) if key is None else escaped(key)

    def _entry(self, index: int) -> Element:
        if index:
            layout, begin = self._layout(index - 1), self.begins[index - 1]
            gap, lead = begin + layout.gap, begin + layout.lead
        else:
            _, gap, lead = self._opened()
        key, value = pair_at(self.node, self.row, self._by, index)
        source, column = self.node.source, self.node.column
        start, stop = self.begins[index] + column, self.stop(index)
        element = Element(source, column, gap, lead, start, stop, key, value)
        element.inline = self.inline and not index
        return element

    def _opened(self) -> tuple[list[Element], int, int]:
        if self._first is None:
            inline, source, column = self.inline, self.node.source, self.node.column
            self._first = (
                ([], self.start, self.start)
                if inline
                else trivia(source, column, self.start, self.begins[0])
            )
        return self._first

    def _layout(self, index: int) -> Layout:
        found = self.row.pieces[index].layout
        return found or layout_at(self.node, self.row, self._by, index, self.start)


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
    for index in differing:
        _take(own, done, index, slots, children)
        slots += [taken(each, target) for each in own.comments(index)]
        step = own.step(index)
        edit = _only_edit(own, editors, index)
        if edit is None:
            element = own.entry(index)
            changes = [
                Change(label, base.entry(index), side.entry(index)) for label, base, side in editors
            ]
            shown = identity_shown(element, fields) if fields else None
            merged: list[Slot] = run.merge_entry(
                run, (*path, step), cursor.child(step), element, changes, target, shown
            )
        else:
            labels, side = edit
            run.origin((*path, step), "changed", labels)
            merged = [taken(side.entry(index), target)]
        slots += merged
        children += [(slot.key, slot.expected) for slot in merged]
        done = index + 1
    _take(own, done, len(own.row.pieces), slots, children)
    behind: list[Element] = []
    stop = own.stop(len(own.row.pieces) - 1)
    tail = tail_at(own.node, stop, canonical.end, behind) if stop < canonical.end else ""
    slots += [taken(each, target) for each in behind]
    expected = Computed(own.node.kind, tuple(children))
    return block_collection(canonical, own.node, tail, slots, target, expected)


def _versions(canonical: Element, sides: Sequence[Change]) -> dict[int, Version] | None:
    """Every version once, by its element's `id`; None where one has no row, or another shape."""
    found: dict[int, Version] = {}
    shape = None
    for element in (canonical, *(e for each in sides for e in (each.base, each.side))):
        if element is None or element.value is None:
            return None
        if id(element) in found:
            continue
        row, by = row_of(element.value)
        if row is None:
            return None
        version = found[id(element)] = Version(element, element.value, row, by)
        shape = shape or version.shape
        if version.shape != shape:
            return None
    return found


def _differing(own: Version, others: Sequence[Version]) -> list[int]:
    """The entries that do not have the same lines in all versions."""
    pieces = own.row.pieces
    found: set[int] = set()
    for other in others:
        pairs = enumerate(zip(pieces, other.row.pieces, strict=True))
        found.update(index for index, (mine, its) in pairs if mine is not its)
    return sorted(found)


def _only_edit(
    own: Version, editors: Sequence[tuple[str, Version, Version]], index: int
) -> tuple[list[str], Version] | None:
    """Who changed an entry to what, if all have one base and who changed it made it the same.

    The last entry is left out, for its text may differ by the newline behind it alone.
    """
    piece = own.row.pieces[index]
    labels: list[str] = []
    only: Version | None = None
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
    own: Version, others: Sequence[Version], differing: Sequence[int], fields: tuple[str, ...]
) -> bool:
    """Whether entries are the same ones, each once, and all between them has the same text."""
    last = len(own.row.pieces) - 1
    if not fields:
        keys = [_identity(piece, fields) for piece in own.row.pieces]
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
                mine, its = own.row.pieces[index], other.row.pieces[index]
                if _identity(mine, fields) != _identity(its, fields) or other.behind(index) != text:
                    return False
    except Opaque:
        return False
    return True


def _identity(piece: Piece, fields: tuple[str, ...]) -> Hashable:
    return identity_of(piece, fields) if piece.key is None else piece.key.data


def _take(
    own: Version,
    start: int,
    end: int,
    slots: list[Slot],
    children: list[tuple[Hashable, Expected | None]],
) -> None:
    """The entries from `start` to `end`, with the comments before each, as one slot."""
    if start == end:
        return
    children += [
        (None if piece.key is None else piece.key.data, piece.value)
        for piece in own.row.pieces[start:end]
    ]
    text, at, stop = own.node.source.text, own.opening(start), own.stop(end - 1)
    if own.inline and not start:
        slots.append(Slot("", (), (text[at:stop],)))
        return
    comments = own.comments(start)
    lead = comments[0].lead if comments else own.lead(start)
    slots.append(Slot(text[at:lead], (), (text[lead:stop],), whole=True))
