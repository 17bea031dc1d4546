"""Entries of block collections that are known by their lines; their nodes are made when asked."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise

from bps.merge.data import plain_data
from bps.merge.proof import REFUSALS, build, events_of, forget
from bps.merge.source import MAPPING, SCALAR, Node, Source
from bps.merge.stretches import Region, Shape, Unusual, content_end, shape_of
from bps.merge.twins import Cut, Piece, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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

    __slots__ = ("_built", "chunks", "depth", "levels", "order", "shape")

    def __init__(self, levels: Levels, shape: Shape, depth: int) -> None:
        self.levels = levels
        self.shape = shape
        self.depth = depth
        self.chunks: dict[str, Chunk] = {}
        self.order: list[Chunk] = []
        self._built = 0

    def add(self, text: str, fresh: list[Chunk]) -> Chunk:
        """A chunk that is not among `chunks` yet; it goes into `fresh`, unproven."""
        made = self.chunks[text] = Chunk(self, text, len(self.order))
        self.order.append(made)
        fresh.append(made)
        return made

    def build_from(self, chunk: Chunk) -> None:
        """Parse a chunk, and as many behind it as a quarter of those that had to be parsed."""
        ahead = self.order[chunk.place + 1 : chunk.place + 1 + self._built // 4]
        # The last line of a version can lack its end, and then nothing can stand behind it.
        closed = [each for each in ahead if each.unread.waits and each.text.endswith("\n")]
        chunks = [*closed, chunk]
        self._built += len(chunks)
        build(chunks)


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

    @property
    def waits(self) -> bool:
        """Whether nobody has looked at it."""
        return self._chunk is not None

    def member(self, name: str) -> Node | None:
        """As a node's; told by the first line where it stands there."""
        found = None if self._chunk is None else self._chunk.member(name)
        return found or super().member(name)

    def scalar_member(self, name: str) -> Hashable:
        """As a node's; told by the first line where it stands there."""
        found = None if self._chunk is None else self._chunk.scalar_member(name)
        return super().scalar_member(name) if found is None else found

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


class PlainKey(Node):
    """The plain key of a chunk; most are asked for what they say alone, not for their place."""

    __slots__ = ("_column", "_text")

    def __init__(self, text: str, column: int, name: str) -> None:
        # Without Node's own: the other attributes stay unset until one is asked for.
        self._text = text
        self._column = column
        self._data = None
        self.value = name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a node
        value, data, start = self.value, self._data, self._column
        source = Source("an entry", self._text)
        super().__init__(source, SCALAR, start, start + len(value), None, None)
        self.value, self._data = value, data
        return object.__getattribute__(self, name)

    @property
    def data(self) -> Hashable:
        """As a node's."""
        if self._data is None:
            self._data = plain_data(self.value)
        return self._data


class Chunk(Piece):
    """The lines of one entry, in whatever collections of its level they stand."""

    __slots__ = ("level", "place", "text", "unread")

    def __init__(self, level: Level, text: str, place: int) -> None:
        self.level = level
        self.place = place
        self.text = text
        shape = level.shape
        key: Node | None = None
        if shape.kind == MAPPING:
            name = shape.key(text)
            key = Unread(self) if name is None else PlainKey(text, shape.column, name)
        self.unread = Unread(self)
        super().__init__(key, self.unread)

    def read(self) -> None:
        """Make the nodes: by lines where they can be nothing else, or from libyaml's events."""
        if not (self._by_line() or self._by_lines()):
            self.level.build_from(self)

    def member(self, name: str) -> Node | None:
        """The value of the first field of a list's element, if it has that name and is plain."""
        place = self.level.shape.field(self.text, name)
        return None if place is None else _plain(Source("an entry", self.text), *place)

    def scalar_member(self, name: str) -> Hashable:
        """The data of the first field of a list's element, if it has that name and is plain."""
        place = self.level.shape.field(self.text, name)
        return None if place is None else plain_data(self.text[place[0] : place[1]])

    def take(self, nodes: Sequence[Node], at: int) -> None:
        """Be the key and value that were parsed in a text where the lines begin at `at`."""
        if at:
            source = Source("an entry", self.text)
            for node in nodes:
                _stand(node, source, at)
        if isinstance(self.key, Unread):
            self.key.be(nodes[0])
        self.unread.be(nodes[-1])

    def _by_line(self) -> bool:
        """Whether the value is a plain scalar at the end of the first line."""
        leaf = self.level.shape.leaf(self.text) if self.level.levels.plain else None
        if (
            leaf is None
            or content_end(self.text, 0, len(self.text), self.level.shape.column) != leaf[2]
        ):
            return False
        self.unread.be_scalar(Source("an entry", self.text), leaf[0], leaf[1])
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
            if region.kind == MAPPING and level.shape.key(cut, begins[0]) is None:
                # Its other keys may be quoted too, and parsing them one by one takes longer.
                raise Unusual
            lines = [cut[i:j] for i, j in pairwise([*begins, len(cut)])]
            known = level.chunks
            row = Row(begins, [known.get(each) or level.add(each, fresh) for each in lines])
            events_of(fresh)
        except REFUSALS:
            forget(fresh)
            return False
        self.unread.be_row(Source("an entry", text), region, row)
        return True


def _stand(node: Node, source: Source, at: int) -> None:
    """Have a node stand `at` characters further to the front, in another source."""
    node.source = source
    node.start -= at
    node.end -= at
    node.first -= at
    for child in node.children:
        _stand(child, source, at)


def _plain(source: Source, start: int, end: int) -> Node:
    node = Node(source, SCALAR, start, end, None, None)
    node.value = source.text[start:end]
    return node
