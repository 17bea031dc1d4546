"""Versions, their documents and nodes: a tree over source text that keeps where all stands."""

from __future__ import annotations

from collections.abc import Hashable

from bps.merge.records import Span

SCALAR = "scalar"
ALIAS = "alias"
MAPPING = "mapping"
SEQUENCE = "sequence"
KEEPS = r"[|>][0-9]?\+"
"""The indicators of a block scalar that keeps the blank lines behind it."""
BLOCK_HEADER = r"(?:[&!][^\s]*[ \t]+)*[|>][-+0-9]*"
"""What a block scalar begins with: anchor and tag, where they stand on its line, and indicators."""


class Source:
    """The text of one version, and the aliases and anchored nodes that were found in it."""

    __slots__ = ("_ending", "_line_starts", "aliases", "anchored", "label", "text")

    def __init__(self, label: str, text: str) -> None:
        self.label = label
        self.text = text
        self.aliases: list[Node] = []
        self.anchored: list[Node] = []
        self._ending = ""
        self._line_starts: list[int] | None = None

    @property
    def ending(self) -> str:
        """What ends a new line: CR and LF where any line ends so. Cost: one search, once."""
        if not self._ending:
            self._ending = "\r\n" if "\r\n" in self.text else "\n"
        return self._ending

    def position(self, index: int) -> tuple[int, int]:
        """Line and column from 1."""
        if self._line_starts is None:
            starts = [0]
            at = self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._line_starts = starts
        from bisect import bisect_right  # noqa: PLC0415 - a clean merge shows no places

        line = bisect_right(self._line_starts, index)
        return line, index - self._line_starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """From `start` to `end`, both as line and column."""
        return Span(*self.position(start), *self.position(end))

    def line_start(self, index: int) -> int:
        """Where the line that holds `index` begins."""
        return self.text.rfind("\n", 0, index) + 1

    def line_end(self, index: int) -> int:
        """Behind the newline of the line that holds `index`."""
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1


_COLLECTIONS = (MAPPING, SEQUENCE)
_NONE: list[Node] = []
"""The children of every scalar and alias: a list each would be a tenth of a parse's memory."""


class Node:
    """A scalar, alias, mapping or sequence.

    `start` and `end` enclose it with its anchor and tag, without comments and layout around it.
    `first` is where its first entry begins and `column` that entry's column, if it is a block
    collection. `children` are a mapping's keys and values in turn, or a sequence's items.
    """

    __slots__ = (
        "_data",
        "anchor",
        "children",
        "column",
        "end",
        "first",
        "flow",
        "kind",
        "source",
        "start",
        "style",
        "tag",
        "value",
    )

    def __init__(
        self,
        source: Source,
        kind: str,
        start: int,
        end: int,
        anchor: str | None,
        tag: str | None,
    ) -> None:
        self.source = source
        self.kind = kind
        self.start = start
        self.end = end
        self.anchor = anchor
        self.tag = tag
        self.flow = False
        self.first = start
        self.column = 0
        self.value = ""
        self.style = ""
        self.children: list[Node] = [] if kind in _COLLECTIONS else _NONE
        self._data: Hashable = None

    @property
    def text(self) -> str:
        """Its source."""
        return self.source.text[self.start : self.end]

    @property
    def block(self) -> bool:
        """Whether it is a block collection, whose entries have lines of their own."""
        return not self.flow and self.kind in {MAPPING, SEQUENCE}

    @property
    def block_scalar(self) -> bool:
        """Whether it is a literal or folded scalar."""
        return self.kind == SCALAR and self.style in {"|", ">"}

    @property
    def holds_comments(self) -> bool:
        """Whether deeper comments below its key are its own: entries stand there, or nothing."""
        return self.block or (self.kind == SCALAR and self.start == self.end)

    @property
    def data(self) -> Hashable:
        """What it stands for, hashable: equal exactly where two nodes mean the same.

        The order of a mapping's keys does not count. An anchor and a tag do. Plain scalars that
        any YAML version reads as something else than text are equal by their spelling only.
        """
        if self._data is None:
            from bps.merge.data import data_of  # noqa: PLC0415 - the two need each other

            self._data = data_of(self)
        return self._data

    @property
    def model(self) -> Node:
        """The node that this one repeats, or itself; equal models mean the same."""
        return self

    @property
    def keeps(self) -> bool:
        """Whether it ends with a block scalar that keeps the blank lines behind it."""
        node = self
        while node.block:
            node = node.children[-1]
        return node.block_scalar and "+" in node.text.partition("\n")[0].partition("#")[0]

    def member(self, name: str) -> Node | None:
        """The value of a mapping's key; as it stands in the model."""
        if self.kind != MAPPING:
            return None
        children = self.children
        for index in range(0, len(children), 2):
            if children[index].value == name and children[index].kind == SCALAR:
                return children[index + 1]
        return None

    def scalar_member(self, name: str) -> Hashable:
        """The data of a mapping's key that holds a scalar; None where there is none."""
        found = self.member(name)
        return None if found is None or found.kind != SCALAR else found.data

    def pairs(self) -> list[tuple[Node, Node]]:
        """A mapping's keys with their values."""
        children = self.children
        return [(children[i], children[i + 1]) for i in range(0, len(children), 2)]


class Document:
    """One document of a stream.

    `start`..`body` is what stands before its content (the line of an explicit `...` of the one
    before, comments, directives, the line of `---`), `body`..`body_end` the content with the
    comments around it. `root` is None where it is empty.
    """

    __slots__ = ("body", "body_end", "explicit", "root", "source", "start")

    def __init__(self, source: Source, start: int, body: int) -> None:
        self.source = source
        self.start = start
        self.body = body
        self.body_end = body
        self.explicit = False
        self.root: Node | None = None
