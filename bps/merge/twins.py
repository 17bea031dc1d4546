"""Nodes of text that stands in another version too: known from there, built when looked at."""

from __future__ import annotations

from collections.abc import Hashable

from bps.merge.elements import Element, Elements, Opaque, entry_at, split, tail_at, trivia
from bps.merge.named_tuple import NamedTuple
from bps.merge.source import MAPPING, Node, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Layout(NamedTuple):
    """How the lines of one chunk are shared out; all offsets count from its begin.

    `start` and `end` are the entry's own, `comments` the gap, lead and end of the detached
    comments behind it, `gap` and `lead` those of the entry that follows.
    """

    start: int
    end: int
    comments: tuple[tuple[int, int, int], ...]
    gap: int
    lead: int


class Chunk:
    """The lines from one entry of a block collection to the next one, wherever they stand.

    `key` and `value` are the nodes of its first sight, and `at` is where it began there.
    """

    __slots__ = ("at", "key", "layout", "value")

    def __init__(self, at: int, key: Node | None, value: Node) -> None:
        self.at = at
        self.key = key
        self.value = value
        self.layout: Layout | None = None


class Twin(Node):
    """A node that stands `by` characters further on than its model, in another source."""

    __slots__ = ("_by", "_model")

    def __init__(self, model: Node, source: Source, by: int) -> None:
        # Without Node's own: the other attributes stay unset until one is asked for.
        self._model = model
        self._by = by
        self.source = source
        self.kind = model.kind

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a node
        model, by = self._model, self._by
        self.start = model.start + by
        self.end = model.end + by
        self.first = model.first + by
        self.anchor = model.anchor
        self.tag = model.tag
        self.flow = model.flow
        self.column = model.column
        self.value = model.value
        self.style = model.style
        self.children = [Twin(child, self.source, by) for child in model.children]
        self._data = None
        return object.__getattribute__(self, name)

    @property
    def data(self) -> Hashable:
        """Its model's."""
        return self._model.data

    @property
    def model(self) -> Node:
        """The node that was parsed."""
        return self._model


class Stretched(Node):
    """A block collection that is known as a row of chunks, which begin at `begins`."""

    __slots__ = ("begins", "chunks")

    def __init__(
        self,
        source: Source,
        kind: str,
        column: int,
        begins: list[int],
        chunks: list[Chunk],
        children: list[Node],
    ) -> None:
        start = begins[0] + column
        super().__init__(source, kind, start, max(start, children[-1].end), None, None)
        self.column = column
        self.children = children
        self.begins = begins
        self.chunks = chunks


def split_stretched(node: Stretched, start: int, end: int) -> Elements | None:
    """As `split`, with the layout of every chunk worked out once for all versions."""
    source, column, begins, chunks = node.source, node.column, node.begins, node.chunks
    if start > begins[0]:
        return split(node, start, end)
    pairs: list[tuple[Node | None, Node]] = [(None, child) for child in node.children]
    if node.kind == MAPPING:
        pairs = list(node.pairs())
    try:
        items, gap, lead = trivia(source, column, start, begins[0])
        last = len(begins) - 1
        for index in range(last):
            begin, chunk = begins[index], chunks[index]
            key, value = pairs[index]
            layout = chunk.layout
            if layout is None:
                layout = chunk.layout = _layout(node, begin, begins[index + 1], key, value)
            items.append(
                Element(
                    source, column, gap, lead, begin + layout.start, begin + layout.end, key, value
                )
            )
            for its_gap, its_lead, its_end in layout.comments:
                at = begin + its_end
                items.append(
                    Element(source, column, begin + its_gap, begin + its_lead, at, at, None, None)
                )
            gap, lead = begin + layout.gap, begin + layout.lead
        key, value = pairs[last]
        element = entry_at(node, begins[last], end, key, value, [])
        element.gap, element.lead = gap, lead
        items.append(element)
        tail = tail_at(node, element.end, end, items) if element.end < end else ""
    except Opaque:
        return None
    return Elements(items, tail)


def _layout(node: Node, begin: int, end: int, key: Node | None, value: Node) -> Layout:
    """Raises Opaque."""
    entry = entry_at(node, begin, end, key, value, [])
    comments, gap, lead = trivia(node.source, node.column, entry.end, end)
    return Layout(
        entry.start - begin,
        entry.end - begin,
        tuple((each.gap - begin, each.lead - begin, each.end - begin) for each in comments),
        gap - begin,
        lead - begin,
    )
