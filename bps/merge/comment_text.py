"""The comments in a stretch of source, found between its scalars."""

from __future__ import annotations

import re

from bps.merge.elements import Element
from bps.merge.source import Node

_COMMENT = r"(?:(?<=[\s,\[\]{}])|^)#[^\r\n]*"
# Behind an anchor or a tag whose scalar stands on a line below.
_PROPERTY_COMMENT = r"(?:[&!][^\s]*[ \t]+)+(#[^\r\n]*)"
_HEADER_COMMENT = r"[ \t](#[^\r\n]*)"


def comments_in(element: Element) -> tuple[str, ...]:
    """All comments of an entry, those before it included, in order and without layout."""
    text = element.source.text
    start = element.start if element.inline else element.lead
    if "#" not in text[start : element.end]:
        return ()
    leaves: list[Node] = []
    for node in (element.key, element.value):
        if node is not None:
            _gather(node, leaves)
    return _outside(text, leaves, start, element.end)


def end_of_line_comment(element: Element) -> str:
    """The comment behind a key whose entries follow, or behind a leaf; else nothing."""
    value = element.value
    if value is None:
        return ""
    text = element.source.text
    if value.block:
        at = element.start if element.key is None else element.key.end
        found = _between(text, at, element.head_end)
    elif value.block_scalar:
        found = _header_comment(text, value)
    else:
        at = value.end if element.key is None else max(element.key.end, value.end)
        end = min(element.end, element.source.line_end(at))
        found = _between(text, at, end)
    return found[0] if found else ""


def blanks_behind(element: Element, comment: str) -> str:
    """The blanks at the end of the line on which a comment of an entry ends."""
    if not comment:
        return ""
    body = element.body
    if f"{comment} " not in body and f"{comment}\t" not in body:
        return ""
    found = re.search(rf"{re.escape(comment)}([ \t]*)(?=\r?\n|\Z)", body)
    return "" if found is None else found[1]


def comments_before_value(element: Element) -> tuple[str, ...]:
    """Comments between a key or dash and a value that stands on a line below."""
    value = element.value
    if value is None or value.block:
        return ()
    at = element.start if element.key is None else element.key.end
    return tuple(_between(element.source.text, at, value.start))


def comments_inside(element: Element) -> tuple[str, ...]:
    """The comments of an entry's value: neither those before the entry nor that of its line."""
    value = element.value
    if value is None:
        return ()
    if value.block_scalar:
        return comments_before_value(element)
    text = element.source.text
    if value.block:
        start, end = element.head_end, element.end
    elif value.holds_comments:
        start, end = element.source.line_end(value.end), element.end
    else:
        start, end = value.start, value.end
    leaves: list[Node] = []
    if not value.holds_comments or value.block:
        _gather(value, leaves)
    return comments_before_value(element) + _outside(text, leaves, start, end)


def _outside(text: str, leaves: list[Node], start: int, end: int) -> tuple[str, ...]:
    """Comments between `start` and `end` that stand outside of the leaves."""
    found: list[str] = []
    at = start
    for leaf in leaves:
        found += _between(text, at, leaf.start)
        if leaf.block_scalar:
            found += _header_comment(text, leaf)
        elif leaf.anchor is not None or leaf.tag is not None:
            comment = re.compile(_PROPERTY_COMMENT).match(text, leaf.start, leaf.end)
            if comment is not None:
                found.append(comment[1].rstrip())
        at = max(at, leaf.end)
    return tuple(found + _between(text, at, end))


def _header_comment(text: str, scalar: Node) -> list[str]:
    """The comment behind the indicators of a block scalar."""
    header = text[scalar.start : text.find("\n", scalar.start) + 1 or scalar.end]
    comment = re.search(_HEADER_COMMENT, header)
    return [] if comment is None else [comment[1].rstrip()]


def _gather(node: Node, leaves: list[Node]) -> None:
    if node.kind in {"scalar", "alias"}:
        leaves.append(node)
    else:
        for child in node.children:
            _gather(child, leaves)


def _between(text: str, start: int, end: int) -> list[str]:
    stretch = text[start:end]
    if "#" not in stretch:
        return []
    return [found[0].rstrip() for found in re.finditer(_COMMENT, " " + stretch)]
