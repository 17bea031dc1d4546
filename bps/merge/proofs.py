"""One merged entry, read again by itself: where a result reads otherwise, its narrowest cause."""

from __future__ import annotations

from bps.merge.check import agrees
from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.slots import Slot
from bps.merge.source import MAPPING, SEQUENCE, Source


def reads_as_computed(slot: Slot, column: int) -> bool:
    """Whether a merged entry at `column` reads as what was computed for it.

    True also of what cannot be read by itself: items of flow collections, documents, and entries
    with open conflicts.
    """
    pieces = (*slot.lead, " " * column, *slot.body)
    if slot.flow or not all(isinstance(piece, str) for piece in pieces):
        return True
    text = "".join(str(piece) for piece in pieces)
    try:
        documents = parse(Source("a merged entry", text if text.endswith("\n") else f"{text}\n"))
    except Unreadable:
        return False
    root = documents[0].root
    if len(documents) != 1 or root is None:
        return False
    if root.kind == SEQUENCE and slot.key is None and len(root.children) == 1:
        return agrees(root.children[0], slot.expected)
    if root.kind == MAPPING and slot.key is not None and len(root.children) == 2:  # noqa: PLR2004
        key, value = root.children
        return key.data == slot.key and agrees(value, slot.expected)
    return False
