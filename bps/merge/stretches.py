"""Block collections cut into chunks, at the lines that begin an entry at their own column."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from bps.merge.named_tuple import NamedTuple
from bps.merge.source import MAPPING, SEQUENCE, Node
from bps.merge.twins import Chunk, Stretched

SMALLEST = 4_000
"""Characters of a text or entry from which on it is cut; below, parsing it is as cheap."""
_TRIVIA = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")


class Unusual(Exception):
    """The text is not to be read in chunks."""


class Inner(NamedTuple):
    """A collection inside another one: its chunk there, and the length of that one's first line."""

    text: str
    head: int
    chunk: Chunk
    collection: Collection


class Collection:
    """A block collection of the known text, and every chunk that was seen in it since."""

    def __init__(self, node: Node, at: int, end: int, depth: int) -> None:
        """Raises Unusual."""
        text = node.source.text
        self.kind = node.kind
        self.column = node.column
        self.depth = depth
        begins = begins_of(text, at, end, node.kind, node.column)
        pairs = entries_of(node, begins, end)
        chunks = [Chunk(begin, *pair) for begin, pair in zip(begins, pairs, strict=True)]
        texts = [text[i:j] for i, j in pairwise([*begins, end])]
        self.node = Stretched(node.source, self.kind, self.column, begins, chunks, node.children)
        self.known = dict(zip(texts, chunks, strict=True))
        self.counted = Counter(texts)
        self._openings = _openings(texts, pairs)
        self._inner: dict[str, Collection | None] = {}

    def inner(self, text: str) -> Inner | None:
        """The large collection of which this chunk has the first line."""
        head = text.find("\n") + 1
        opening = self._openings.get(text[:head])
        if opening is None:
            return None
        chunk = self.known[opening]
        if opening not in self._inner:
            self._inner[opening] = self._cut(chunk, head, len(opening))
        collection = self._inner[opening]
        return None if collection is None else Inner(opening, head, chunk, collection)

    def _cut(self, chunk: Chunk, head: int, length: int) -> Collection | None:
        node = chunk.value
        try:
            found = Collection(node, chunk.at + head, chunk.at + length, self.depth + 1)
        except Unusual:
            return None
        children = self.node.children
        children[children.index(node)] = chunk.value = found.node
        return found


def begins_of(text: str, at: int, end: int, kind: str, column: int) -> list[int]:
    """The lines that begin an entry at the column; nothing but trivia stands before the first.

    Raises Unusual.
    """
    margin = " " * column
    found = []
    if kind == SEQUENCE:
        starting = re.compile(rf"\n{margin}-(?![^ \t\n])")
    else:
        starting = re.compile(rf"\n{margin}(?:[^ \t\n#?:-]|[?:-](?![ \t\n]|\Z))")
    if at == 0 and starting.match("\n" + text[: column + 2]):
        found.append(0)
    found += [each.start() + 1 for each in starting.finditer(text, max(at - 1, 0), end)]
    if not found or _TRIVIA.fullmatch(text, at, found[0]) is None:
        raise Unusual
    return found


def entries_of(node: Node, begins: list[int], end: int) -> list[tuple[Node | None, Node]]:
    """The key and value of the one entry that stands between each begin and the next.

    Raises Unusual.
    """
    column = node.column
    plain = node.block and node.anchor is None and node.tag is None
    if not plain or not node.first == node.start == begins[0] + column:
        raise Unusual
    pairs: list[tuple[Node | None, Node]] = [(None, child) for child in node.children]
    if node.kind == MAPPING:
        pairs = list(node.pairs())
    if len(pairs) != len(begins):
        raise Unusual
    for (key, value), begin, stop in zip(pairs, begins, [*begins[1:], end], strict=True):
        here = begin + column
        if here >= value.start if key is None else here != key.start:
            raise Unusual
        if max(value.end, 0 if key is None else key.end) > stop:
            raise Unusual
    return pairs


def _openings(texts: list[str], pairs: list[tuple[Node | None, Node]]) -> dict[str, str]:
    """The chunks that are a large block collection below a line with its key, by that line."""
    found: dict[str, str] = {}
    for text, (key, value) in zip(texts, pairs, strict=True):
        if len(text) >= SMALLEST and key is not None and value.block:
            found[text[: text.find("\n") + 1]] = text
    return found
