"""Nodes of text that stands in another version too: known from there, made when looked at."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element, Elements, Opaque, entry_at, split, tail_at, trivia
from bps.merge.named_tuple import NamedTuple
from bps.merge.source import MAPPING, Node, Source
from bps.merge.stretches import content_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Layout(NamedTuple):
    """How the lines of one chunk are shared out; all offsets count from its begin.

    The entry ends at `end`; `comments` are the gap, lead and end of the detached comments behind
    it, `gap` and `lead` those of the entry that follows.
    """

    end: int
    comments: tuple[tuple[int, int, int], ...]
    gap: int
    lead: int


class Piece:
    """The lines from one entry of a block collection to the next one, wherever they stand.

    `key` and `value` stand where they do if its lines begin at 0, but for a Stretched value, which
    stands in its own source.
    """

    __slots__ = ("key", "layout", "value")

    def __init__(self, key: Node | None, value: Node) -> None:
        self.key = key
        self.value = value
        self.layout: Layout | None = None


class Row(NamedTuple):
    """A block collection as a row of pieces, and where each one begins."""

    begins: list[int]
    pieces: Sequence[Piece]


class Twin(Node):
    """A node that stands `by` characters further on than its model, in another source."""

    __slots__ = ("_by", "_model")

    def __init__(self, model: Node, source: Source, by: int) -> None:
        # Without Node's own: the other attributes stay unset until one is asked for.
        self._model = model
        self._by = by
        self.source = source

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a node
        model, by = self._model, self._by
        if name == "end":
            self.end = model.end + by
        elif name == "children":
            self.children = [_twin(child, self.source, by) for child in model.children]
        else:
            self.kind = model.kind
            self.start = model.start + by
            self.first = model.first + by
            self.anchor = model.anchor
            self.tag = model.tag
            self.flow = model.flow
            self.column = model.column
            self.value = model.value
            self.style = model.style
            self._data = None
        return object.__getattribute__(self, name)

    @property
    def data(self) -> Hashable:
        """Its model's."""
        return self._model.data

    @property
    def model(self) -> Node:
        """The node that this one repeats."""
        return self._model

    @property
    def keeps(self) -> bool:
        """Its model's."""
        return self._model.keeps

    def member(self, name: str) -> Node | None:
        """Its model's."""
        return self._model.member(name)

    def scalar_member(self, name: str) -> Hashable:
        """Its model's."""
        return self._model.scalar_member(name)


def _twin(node: Node, source: Source, by: int) -> Twin:
    if isinstance(node, Twin):
        return Twin(node._model, source, by + node._by)  # noqa: SLF001 - of its own class
    return Twin(node, source, by)


class Cut(Node):
    """A node of which more is known: the row of pieces, if it is a collection cut into them."""

    __slots__ = ("row",)

    row: Row | None

    @property
    def keeps(self) -> bool:
        """Never: a text with such scalars is not cut."""
        return False

    def stretch(self, source: Source, kind: str, column: int, row: Row) -> None:
        """Be the block collection of that row."""
        start = row.begins[0] + column
        super().__init__(source, kind, start, start, None, None)
        self.column = column
        self.row = row
        # The last entry need not be looked at before somebody asks.
        del self.end, self.children

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the two that are worked out late
        if name == "children" and self.row is not None:
            self.children = _children(self.source, self.kind, self.row)
        elif name == "end" and self.row is not None:
            value = self.row.pieces[-1].value
            by = 0 if isinstance(value, Stretched) else self.row.begins[-1]
            self.end = max(self.start, value.end + by)
        return object.__getattribute__(self, name)


class Stretched(Cut):
    """A block collection in the text of a version."""

    __slots__ = ()

    def __init__(self, source: Source, kind: str, column: int, row: Row) -> None:
        self.stretch(source, kind, column, row)


def _children(source: Source, kind: str, row: Row) -> list[Node]:
    found: list[Node] = []
    for begin, piece in zip(*row, strict=True):
        if kind == MAPPING:
            assert piece.key is not None  # noqa: S101 - entries of mappings have keys
            found.append(Twin(piece.key, source, begin))
        value = piece.value
        found.append(value if isinstance(value, Stretched) else Twin(value, source, begin))
    return found


def split_known(node: Node, start: int, end: int) -> Elements | None:
    """As `split`, with the layout of every piece worked out once for all versions."""
    row, by = row_of(node)
    if row is None:
        return split(node, start, end)
    source, column = node.source, node.column
    begins = [begin + by for begin in row.begins]
    pairs: list[tuple[Node | None, Node]] = [(None, child) for child in node.children]
    if node.kind == MAPPING:
        pairs = list(node.pairs())
    try:
        inline = start > begins[0]
        items, gap, lead = (
            ([], start, start) if inline else trivia(source, column, start, begins[0])
        )
        for index, begin in enumerate(begins[:-1]):
            key, value = pairs[index]
            layout = row.pieces[index].layout or layout_at(node, row, by, index, start)
            items.append(
                Element(source, column, gap, lead, begin + column, begin + layout.end, key, value)
            )
            for its_gap, its_lead, its_end in layout.comments:
                at = begin + its_end
                items.append(
                    Element(source, column, begin + its_gap, begin + its_lead, at, at, None, None)
                )
            gap, lead = begin + layout.gap, begin + layout.lead
        key, value = pairs[-1]
        stop = entry_end(node, row, by, len(begins) - 1, max(start, begins[-1]), end)
        items.append(Element(source, column, gap, lead, begins[-1] + column, stop, key, value))
        if inline:
            items[0].inline = True
        tail = tail_at(node, stop, end, items) if stop < end else ""
    except Opaque:
        return None
    return Elements(items, tail)


def row_of(node: Node) -> tuple[Row | None, int]:
    """The row of pieces of a collection that has one, and how much further on it stands."""
    model = node.model
    if not model.block or not isinstance(model, Cut) or model.row is None:
        return None, 0
    return model.row, node.start - model.start


def pieces_of(node: Node) -> Sequence[Piece]:
    """The entries of a collection; those of a row stand in other versions too."""
    row, _ = row_of(node)
    if row is not None:
        return row.pieces
    if node.kind == MAPPING:
        return [Piece(key, value) for key, value in node.pairs()]
    return [Piece(None, child) for child in node.children]


def layout_at(node: Node, row: Row, by: int, index: int, start: int) -> Layout:
    """The layout of a piece of a row whose entries begin at `start`, but the last; made once.

    Raises:
        Opaque: it does not come apart line by line.
    """
    piece = row.pieces[index]
    if piece.layout is None:
        begin, end = row.begins[index] + by, row.begins[index + 1] + by
        stop = entry_end(node, row, by, index, max(start, begin), end)
        piece.layout = _layout(node, begin, stop, end)
    return piece.layout


def pair_at(node: Node, row: Row, by: int, index: int) -> tuple[Node | None, Node]:
    """Key, or None, and value of one entry of a row that stands `by` characters further on."""
    piece, at = row.pieces[index], row.begins[index] + by
    key, value = piece.key, piece.value
    if not isinstance(value, Stretched):
        value = Twin(value, node.source, at)
    return None if key is None else Twin(key, node.source, at), value


def _layout(node: Node, begin: int, stop: int, end: int) -> Layout:
    """The layout of a piece from `begin` to `end` whose entry ends at `stop`. Raises Opaque."""
    if stop == end:
        return Layout(end - begin, (), end - begin, end - begin)
    comments, gap, lead = trivia(node.source, node.column, stop, end)
    return Layout(
        stop - begin,
        tuple((each.gap - begin, each.lead - begin, each.end - begin) for each in comments),
        gap - begin,
        lead - begin,
    )


def entry_end(node: Node, row: Row, by: int, index: int, at: int, end: int) -> int:
    """Behind the lines of an entry that begin at `at`: told by its text or else by its nodes.

    Raises:
        Opaque: it does not come apart line by line.
    """
    stop = content_end(node.source.text, at, end, node.column)
    if stop is None:
        key, value = pair_at(node, row, by, index)
        stop = entry_at(node, at, end, key, value, []).end
    return stop
