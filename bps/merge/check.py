"""Law 5: a clean result reads again as exactly the tree that was computed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from bps.merge.reader import Reader
from bps.merge.refusals import Unreadable
from bps.merge.slots import Computed, Expected, Lines
from bps.merge.source import MAPPING, SEQUENCE, Document, Node, Source
from bps.merge.twins import Row, row_of

TOGETHER = "put together, the versions read as something else"


def why_wrong(source: Source, expected: Sequence[Expected | None], reader: Reader) -> str | None:
    """Law 5: why the text does not read as what was computed."""
    try:
        documents = reader.read_result(source)
    except Unreadable as error:
        return f"the versions cannot be put together: {error.what}"
    if len(documents) != len(expected) or not all(
        agrees(document.root, each) for document, each in zip(documents, expected, strict=True)
    ):
        return TOGETHER
    for document in documents if source.aliases else ():
        alias = next(dangling_aliases(document), None)
        if alias is not None:
            return f"the alias *{alias} would have no anchor"
    return None


def agrees(node: Node | None, expected: Expected | None) -> bool:
    """Whether a node of the parsed result is what was computed for its place.

    Nodes with one model repeat one stretch of text at one column, as `_same_text` asks for; that
    the stretch reads alike in the result is the Reader's promise, with its count of the events.
    """
    if node is None or expected is None:
        return node is None and expected is None
    if isinstance(expected, Node):
        alike = node.model is expected.model or _same_text(node, expected)
        return alike or node.data == expected.data
    if isinstance(expected, Lines):
        from bps.merge.texts import reads_as  # noqa: PLC0415 - only where lines were merged

        return reads_as(node, expected)
    if node.kind != expected.kind:
        return False
    row, _ = row_of(node)
    if row is not None and _same_pieces(row, expected):
        return True
    if node.kind == SEQUENCE:
        return _all_agree(node.children, [child for _, child in expected.children])
    pairs = node.pairs()
    if len(pairs) != len(expected.children):
        return False
    by_key: dict[Hashable, Node] = {key.data: value for key, value in pairs}
    return len(by_key) == len(pairs) and all(
        key in by_key and agrees(by_key[key], child) for key, child in expected.children
    )


def _same_pieces(row: Row, expected: Computed) -> bool:
    """Whether every entry is, or agrees with, the one that was computed for its place.

    False says nothing: the entries of a mapping may stand in another order.
    """
    if len(row.pieces) != len(expected.children):
        return False
    keys: set[Hashable] = set()
    for piece, (key, child) in zip(row.pieces, expected.children, strict=True):
        value = piece.value
        if piece.key is not None:
            keys.add(key)
            if piece.key.data != key:
                return False
        if not (isinstance(child, Node) and value is child.model) and not agrees(value, child):
            return False
    return not keys or len(keys) == len(row.pieces)


def _same_text(node: Node, expected: Node) -> bool:
    """Equal source in the same style reads alike; no data need be compared then."""
    return (
        node.flow == expected.flow
        and node.column == expected.column
        and node.kind == expected.kind
        and node.kind in {MAPPING, SEQUENCE}
        and node.text == expected.text
    )


def _all_agree(nodes: Sequence[Node], expected: Sequence[Expected | None]) -> bool:
    return len(nodes) == len(expected) and all(
        agrees(node, each) for node, each in zip(nodes, expected, strict=True)
    )


def dangling_aliases(document: Document) -> Iterator[str]:
    """The names of the aliases that have no anchor before them, as they follow."""
    anchors: set[str] = set()
    stack = [] if document.root is None else [document.root]
    while stack:
        node = stack.pop()
        if node.anchor is not None:
            anchors.add(node.anchor)
        if node.kind == "alias" and node.value not in anchors:
            yield node.value
        stack.extend(reversed(node.children))
