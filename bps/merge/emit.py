"""Putting merged entries together again as a block or flow collection."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.results import Fresh
from bps.merge.slots import Computed, Lines, Open, Piece, Slot
from bps.merge.source import KEEPS, MAPPING, Node

_NO_COLON = r"[^:\n]*|\"[^\"\n]*\"|'[^'\n]*'"

# JSON's `"key":value` is a pair in flow style alone.
_NO_SPACE = r"^(\"[^\"\n]*\"|'[^'\n]*'):(?=\S)"


def expected_of(kind: str, slots: Sequence[Slot]) -> Computed:
    """What the collection must read as."""
    return Computed(
        kind,
        tuple((slot.key, slot.expected) for slot in slots if not slot.is_comment),
    )


def block_collection(
    layout: Element,
    node: Node,
    tail: str,
    slots: Sequence[Slot],
    column: int,
    expected: Computed,
) -> Fresh:
    """Entries on lines of their own at `column`, behind the head of `layout`; then `tail`."""
    entries = [slot for slot in slots if not slot.is_comment]
    ending = node.source.ending
    pieces: list[Piece] = []
    if not entries:
        empty = "{}" if node.kind == MAPPING else "[]"
        comments = "".join(
            piece for slot in slots for piece in (slot.gap, *slot.lead) if isinstance(piece, str)
        )
        return Fresh(layout, (empty,), expected, block=False, after=ending + comments)
    margin = " " * column
    kept = False
    for index, given in enumerate(slots):
        # Behind a scalar that keeps its last newlines, a blank line would be data.
        slot = given._replace(gap="") if kept else given
        kept = not slot.is_comment and keeps_blank_lines(slot)
        if slot.flow:
            slot = slot._replace(body=_dashed(node.kind, slot))
        if index == 0 and layout.compact:
            if not any(slot.lead) and not slot.whole and not slot.is_comment:
                _append(pieces, slot.body, ending)
                continue
            pieces.append(ending)
        if slot.whole:
            _append(pieces, (slot.gap, *slot.body), ending)
        elif slot.is_comment:
            _append(pieces, (slot.gap, *slot.lead), ending)
        else:
            _append(pieces, (slot.gap, *slot.lead, margin, *slot.body), ending)
    if tail and not kept:
        pieces.append(tail)
    return Fresh(layout, tuple(pieces), expected, block=True)


def _dashed(kind: str, slot: Slot) -> tuple[Piece, ...]:
    """An item of a flow collection as an entry of a block collection."""
    if kind != MAPPING:
        return ("- ", *slot.body)
    text = "".join(piece for piece in slot.body if isinstance(piece, str))
    if re.fullmatch(_NO_COLON, text):
        return (text, ":")
    return (re.sub(_NO_SPACE, r"\1: ", text),)


def keeps_blank_lines(slot: Slot) -> bool:
    """Whether an entry ends with a block scalar that keeps the blank lines behind it.

    Or one of its versions may, where it ends with an open conflict.
    """
    last = slot.body[-1] if slot.body else ""
    if isinstance(last, Open):
        return any(
            re.search(KEEPS, text) for text in (last.base, *(text for _, text in last.sides))
        )
    expected = slot.expected
    while isinstance(expected, Computed) and expected.children:
        expected = expected.children[-1][1]
    if isinstance(expected, Lines):
        return expected.keep and _ends_with(slot, "\n".join(expected.lines))
    if not isinstance(expected, Node):
        return False
    if not expected.keeps:
        return False
    node = expected
    while node.block:
        node = node.children[-1]
    return _ends_with(slot, node.text)


def _ends_with(slot: Slot, scalar: str) -> bool:
    """Whether no comment stands behind a scalar that an entry ends with."""
    last = slot.body[-1] if slot.body else ""
    if not isinstance(last, str):
        return True
    return last.rstrip().endswith(scalar.rstrip().rpartition("\n")[2].strip())


def _append(pieces: list[Piece], more: Sequence[Piece], ending: str) -> None:
    """Add an entry, which ends its last line."""
    pieces += [piece for piece in more if piece != ""]
    last = pieces[-1] if pieces else ending
    if isinstance(last, str) and not last.endswith("\n"):
        pieces.append(ending)


def flow_collection(layout: Element, node: Node, slots: Sequence[Slot]) -> Fresh | None:
    """Items between brackets in the style of `layout`; None where one is an open conflict."""
    items: list[str] = []
    for slot in slots:
        if slot.whole or any(isinstance(piece, Open) for piece in slot.body):
            return None
        items.append("".join(str(piece) for piece in slot.body).strip())
    opening, closing = ("{", "}") if node.kind == MAPPING else ("[", "]")
    before, between, after = _separators(node, opening)
    text = opening + before + between.join(items) + after + closing
    if not items:
        text = opening + closing
    properties = node.text[: node.text.find(opening)]
    suffix = layout.source.text[node.end : layout.end]
    return Fresh(
        layout, (properties + text,), expected_of(node.kind, slots), block=False, after=suffix
    )


def _separators(node: Node, opening: str) -> tuple[str, str, str]:
    """What stands behind the opening bracket, between two items and before the closing one."""
    text = node.source.text
    children = node.children
    if not children:
        return "", ", ", ""
    step = 2 if node.kind == MAPPING else 1
    begin = text.find(opening, node.start) + 1
    before = text[begin : children[0].start]
    between = f",{before}" if "\n" in before else ", "
    if len(children) > step:
        between = text[children[step - 1].end : children[step].start]
    after = text[children[-1].end : node.end - 1]
    if "," not in between:
        between = ", "
    return before, between, after
