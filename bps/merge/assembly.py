"""An entry put together from the parts that were merged apart: comments, key, value."""

from __future__ import annotations

import re
from collections.abc import Hashable

from bps.merge.comment_text import blanks_behind, end_of_line_comment
from bps.merge.elements import Element
from bps.merge.results import Fresh
from bps.merge.slots import Expected, Piece, Slot, moved
from bps.merge.source import BLOCK_HEADER


def assembled(
    result: Element | Fresh,
    gap: str,
    lead: tuple[Piece, ...],
    trailing: str,
    key: Hashable,
    column: int,
) -> Slot:
    """The entry at `column` with the value of `result`.

    `gap` are the blank lines before it, `lead` its comment lines, `trailing` the comment at the end
    of its line, with the blanks behind it; `key` is its key's data.
    """
    head = _head_from(result, trailing, column)
    if isinstance(result, Fresh):
        owes = trailing and not result.block
        after = (_suffix(result.after, trailing),) if result.after or owes else ()
        pieces = _below(head, result.layout, column, result.pieces)
        body: tuple[Piece, ...] = (head, *pieces, *after)
        flow = result.layout.flow
        return Slot(gap, lead, body, key=key, expected=result.expected, flow=flow)
    body = (head, *_value_of(result, head, trailing, column))
    expected: Expected | None = result.value
    return Slot(gap, lead, body, key=key, expected=expected, flow=result.flow)


def _value_of(entry: Element, head: str, trailing: str, column: int) -> tuple[Piece, ...]:
    """The value of one version's entry, and what follows it on its line."""
    value = entry.value
    assert value is not None  # noqa: S101 - merge_value returns entries
    shift = column - entry.column
    text = entry.source.text
    if value.block:
        region = moved(text[entry.head_end : entry.end], shift, first_line=not entry.compact)
        return _below(head, entry, column, (region,))
    if value.block_scalar:
        tail = moved(text[value.start : entry.end], shift, first_line=False)
        indicators, comment, rest = _header(tail)
        return (indicators, _suffix(comment + rest, trailing))
    content = moved(text[value.start : value.end], shift, first_line=False)
    return (content, _suffix(text[value.end : entry.end], trailing))


def _head_from(result: Element | Fresh, trailing: str, column: int) -> str:
    """From the key or dash to the value, with the comment if entries follow."""
    shape = result.layout if isinstance(result, Fresh) else result
    value = shape.value
    assert value is not None  # noqa: S101 - merge_value returns entries
    text = shape.source.text
    if not value.block or (isinstance(result, Fresh) and not result.block):
        if value.block:
            return _collapsed_head(shape)
        head = text[shape.start : value.start] if value.start > shape.start else ""
        key = shape.key
        if key is not None and value.start < key.end + 1:
            head = text[shape.start : key.end] + ": "
        return head or text[shape.start : value.start]
    head = text[shape.start : shape.head_end]
    had = end_of_line_comment(shape)
    if had + blanks_behind(shape, had) == trailing:
        return moved(head, column - shape.column, first_line=False)
    first, newline, rest = head.partition("\n")
    if had and had == trailing.rstrip():
        head = first.rstrip().removesuffix(had) + trailing + newline + rest
        return moved(head, column - shape.column, first_line=False)
    if had:
        first = first.replace(had, "", 1)
    first = first.rstrip()
    if trailing:
        first = f"{first}  {trailing}"
    if not newline and not trailing:
        return f"{first} "
    if not newline:
        # `- a: 1` has no room for a comment behind its dash.
        newline = "\n"
    return first + newline + rest


def _collapsed_head(shape: Element) -> str:
    """Key or dash, anchor and tag of a block collection that goes on as `[]` or `{}`."""
    value = shape.value
    assert value is not None  # noqa: S101 - it is a collection
    text = shape.source.text
    key = "- " if shape.key is None else f"{text[shape.start : shape.key.end]}: "
    if value.start >= value.first:
        return "" if shape.rooted else key
    line = text[value.start : shape.source.line_end(value.start)]
    properties = re.split(r"[ \t]#", line, maxsplit=1)[0].strip()
    return f"{'' if shape.rooted else key}{properties} "


def _header(scalar: str) -> tuple[str, str, str]:
    """A block scalar's indicators, what follows them on their line, and the lines below."""
    first, newline, rest = scalar.partition("\n")
    found = re.match(BLOCK_HEADER, first)
    # Else they stand on a line below the anchor or tag, and their comment behind those.
    indicators = first.partition("#")[0].rstrip() if found is None else found[0]
    return indicators, first[len(indicators) :], newline + rest


def _below(head: str, layout: Element, column: int, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Pieces for a line of their own, where a comment took the place behind the dash."""
    value = layout.value
    if not (layout.compact and head.endswith("\n")) or value is None:
        return pieces
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith(("\n", "\r\n")):
        return (pieces[0].partition("\n")[2], *pieces[1:])
    return (" " * (column + value.column - layout.column), *pieces)


def _suffix(after: str, trailing: str) -> str:
    """What follows a value on its last line, with the comment that was picked."""
    line, newline, rest = after.partition("\n")
    carriage = "\r" if line.endswith("\r") else ""
    before, mark, comment = line.removesuffix("\r").partition("#")
    had = mark + comment
    if had == trailing:
        return after
    if had and had.rstrip() == trailing.rstrip():
        return before + trailing + carriage + newline + rest
    line = f"  {trailing}{carriage}" if trailing else carriage
    return line + newline + rest
