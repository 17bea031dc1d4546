"""Entries of block collections that are known by their lines; their nodes are made when asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml.error import YAMLError

from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.source import MAPPING, SCALAR, Node, Source
from bps.merge.stretches import Region, Shape, Unusual, content_end, shape_of
from bps.merge.twins import Cut, Piece, Row

_KEEP = re.compile(r"[|>][0-9]?\+")
_EXPLICIT = re.compile(r"\n[ \t-]*[?:][ \t\n]")
_SUSPECTS = (
    # Anchors and aliases; the mark comes first, for a literal beginning is found fast.
    ("&", re.compile(r"&(?<![A-Za-z0-9_]&)[A-Za-z0-9_-]")),
    ("*", re.compile(r"\*(?<![A-Za-z0-9_]\*)[A-Za-z0-9_-]")),
    # Any collection at column 24 or deeper: nothing but blanks and dashes stands before it.
    ("\n", re.compile(r"\n[ -]{24}")),
)
_MOST_BRACKETS = 12
DEEPEST_LEVEL = 8
"""With 24 collections at columns, two more a bracket: less than `parse.MAX_DEPTH`."""
REFUSALS = (Unusual, Unreadable, YAMLError)


class Levels:
    """All chunks that were seen in versions of one text.

    `plain`: a value that is surely a plain scalar may be told by its line alone.
    """

    def __init__(self) -> None:
        self.plain = True
        self._levels: dict[tuple[str, int, int], Level] = {}

    def at(self, region: Region, depth: int) -> Level:
        """The level of a region inside `depth` other collections."""
        where = (region.kind, region.column, depth)
        found = self._levels.get(where)
        if found is None:
            shape = shape_of(region.kind, region.column)
            found = self._levels[where] = Level(self, shape, depth)
        return found


class Level:
    """Every chunk that was seen in collections of one kind at one column and depth."""

    __slots__ = ("chunks", "depth", "levels", "shape")

    def __init__(self, levels: Levels, shape: Shape, depth: int) -> None:
        self.levels = levels
        self.shape = shape
        self.depth = depth
        self.chunks: dict[str, Chunk] = {}

    def chunk(self, text: str, fresh: list[Chunk]) -> Chunk:
        """The chunk with this text; one that was not seen before goes into `fresh`, unproven."""
        found = self.chunks.get(text)
        if found is None:
            found = self.chunks[text] = Chunk(self, text)
            fresh.append(found)
        return found


class Unread(Cut):
    """The key or value of a chunk, before somebody looks at it."""

    __slots__ = ("_chunk",)

    def __init__(self, chunk: Chunk) -> None:
        self._chunk: Chunk | None = chunk

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a node
        chunk = self._chunk
        if chunk is None:
            return super().__getattr__(name)
        chunk.read()
        return getattr(self, name)

    def member(self, name: str) -> Node | None:
        """As a node's; told by the first line where it stands there."""
        found = None if self._chunk is None else self._chunk.member(name)
        return found or super().member(name)

    def be_scalar(self, source: Source, start: int, end: int) -> None:
        """Be a plain scalar."""
        self._chunk = None
        super(Cut, self).__init__(source, SCALAR, start, end, None, None)
        self.value = source.text[start:end]
        self.row = None

    def be_row(self, source: Source, region: Region, row: Row) -> None:
        """Be a block collection that is a row of chunks."""
        self._chunk = None
        self.stretch(source, region.kind, region.column, row)

    def be(self, node: Node) -> None:
        """Be the node that was parsed."""
        self._chunk = None
        super(Cut, self).__init__(
            node.source, node.kind, node.start, node.end, node.anchor, node.tag
        )
        self.flow = node.flow
        self.first = node.first
        self.column = node.column
        self.value = node.value
        self.style = node.style
        self.children = node.children
        self.row = None


class Chunk(Piece):
    """The lines of one entry, in whatever collections of its level they stand."""

    __slots__ = ("_member", "level", "text")

    def __init__(self, level: Level, text: str) -> None:
        self.level = level
        self.text = text
        self._member: tuple[str, Node] | None = None
        shape = level.shape
        key: Node | None = None
        if shape.kind == MAPPING:
            name = shape.key(text)
            key = Unread(self) if name is None else plain_key(text, shape.column, name)
        super().__init__(key, Unread(self))

    def read(self) -> None:
        """Make the nodes: by lines where they can be nothing else, or from libyaml's events."""
        if not (self._by_line() or self._by_lines()):
            self.build()

    def member(self, name: str) -> Node | None:
        """The value of the first field of a list's element, if it has that name and is plain."""
        if self._member is None or self._member[0] != name:
            place = self.level.shape.field(self.text, name)
            if place is None:
                return None
            self._member = (name, _plain(Source("an entry", self.text), *place))
        return self._member[1]

    def build(self) -> Source:
        """Parse it.

        Raises:
            Unreadable: it is nested too deep.
            Unusual: it is not one entry.
        """
        shape, text = self.level.shape, self.text
        if text.endswith("\n"):
            # Another entry behind it, for the end of a text ends a scalar in another way.
            text += shape.sentinel
        source = Source("an entry", text)
        document, *more = parse(source, self.level.depth)
        root = document.root
        if more or root is None or (root.kind, root.column) != (shape.kind, shape.column):
            raise Unusual
        step = 2 if shape.kind == MAPPING else 1
        if len(root.children) != (2 * step if text is not self.text else step):
            raise Unusual
        if isinstance(self.key, Unread):
            self.key.be(root.children[0])
        assert isinstance(self.value, Unread)  # noqa: S101 - chunks have no others
        self.value.be(root.children[step - 1])
        return source

    def _by_line(self) -> bool:
        """Whether the value is a plain scalar at the end of the first line."""
        leaf = self.level.shape.leaf(self.text) if self.level.levels.plain else None
        if (
            leaf is None
            or content_end(self.text, 0, len(self.text), self.level.shape.column) != leaf[2]
        ):
            return False
        assert isinstance(self.value, Unread)  # noqa: S101 - chunks have no others
        self.value.be_scalar(Source("an entry", self.text), leaf[0], leaf[1])
        return True

    def _by_lines(self) -> bool:
        """Whether the value is a block collection that comes apart in the same way."""
        shape, text, depth = self.level.shape, self.text, self.level.depth + 1
        inner = shape.compact(text)
        if inner is None:
            region = shape.opened(text, 0, len(text))
            if region is None:
                return False
            inner = text, region
        cut, region = inner
        level = self.level.levels.at(region, depth)
        fresh: list[Chunk] = []
        try:
            begins = level.shape.begins(cut, region.at, len(cut))
            bounds = pairwise([*begins, len(cut)])
            row = Row(begins, [level.chunk(cut[i:j], fresh) for i, j in bounds])
            events_of(fresh)
        except REFUSALS:
            forget(fresh)
            return False
        assert isinstance(self.value, Unread)  # noqa: S101 - chunks have no others
        self.value.be_row(Source("an entry", text), region, row)
        return True


def plain_key(text: str, start: int, name: str) -> Node:
    """The key of an entry whose lines begin at 0."""
    return _plain(Source("an entry", text), start, start + len(name))


def _plain(source: Source, start: int, end: int) -> Node:
    node = Node(source, SCALAR, start, end, None, None)
    node.value = source.text[start:end]
    return node


def prove(fresh: Sequence[Chunk]) -> int:
    """Have libyaml read each chunk as an entry behind another one; the events of all.

    Raises:
        Unusual: something may mean more than its own entry, or depend on the next.
        Unreadable, YAMLError: the text is refused, or none that can be cut here.

    Cost: 15 ms a MB.
    """
    if not fresh:
        return 0
    joined = _joined(fresh)
    if ("+" in joined and _KEEP.search(joined)) or _EXPLICIT.search(joined):
        raise Unusual
    events = _events(joined, fresh)
    suspects = [each for mark, each in _SUSPECTS if mark in joined and each.search(joined)]
    for chunk in fresh:
        text = chunk.text
        brackets = text.count("[") + text.count("{")
        # Behind a newline, as in the joined text.
        if brackets > _MOST_BRACKETS or (
            suspects and any(each.search(f"\n{text}") for each in suspects)
        ):
            source = chunk.build()
            if source.anchored or source.aliases:
                raise Unusual
    return events


def events_of(chunks: Sequence[Chunk]) -> int:
    """The events of entries, without those around them. Raises YAMLError."""
    return _events(_joined(chunks), chunks) if chunks else 0


def forget(chunks: Iterable[Chunk]) -> None:
    """Unsee chunks that could not be proven."""
    for chunk in chunks:
        del chunk.level.chunks[chunk.text]


def _joined(chunks: Sequence[Chunk]) -> str:
    """A document for each chunk: an entry and the chunk behind it."""
    parts: list[str] = []
    for chunk in chunks:
        parts += ("---\n", chunk.level.shape.sentinel, chunk.text)
        if not chunk.text.endswith("\n"):
            parts.append("\n")
    return "".join(parts)


def _events(joined: str, chunks: Sequence[Chunk]) -> int:
    around = sum(chunk.level.shape.events for chunk in chunks)
    read: int = CParser(joined).raw_parse()
    return read - 2 - around
