"""One version of a collection whose entries are known by their lines, as a row."""

from __future__ import annotations

from bps.merge.elements import Element, trivia
from bps.merge.identity import escaped
from bps.merge.source import Node
from bps.merge.stretches import content_end
from bps.merge.twins import Layout, Row, entry_end, layout_at, pair_at


class RowVersion:
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

    def lines(self, index: int, *, behind: bool) -> str:
        """The lines of an entry; with those `behind` it, where it is not the last one."""
        end = self.begins[index + 1] if behind else self.stop(index)
        return self.node.source.text[max(self.start, self.begins[index]) : end]

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
