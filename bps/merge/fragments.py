"""Values that a reviewer typed: parsed, and written where an entry stands."""

from __future__ import annotations

from bps.merge.elements import Element
from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.slots import Slot, moved
from bps.merge.source import Node, Source

LABEL = "the edited value"


def fragment(text: str) -> Node | None:
    """The one value that a text holds; None where it holds nothing.

    Raises:
        Unreadable: it is no YAML, or several documents.
    """
    documents = parse(Source(LABEL, text.rstrip() + "\n"))
    if len(documents) != 1 or documents[0].explicit:
        raise Unreadable(LABEL, 1, 1, "several documents", "give one value")
    return documents[0].root


def value_lines(node: Node | None, column: int, *, dash: bool) -> str:
    """A value behind its key or dash at `column`, with the newline at its end."""
    if node is None:
        return "\n"
    source = node.source
    if not node.block:
        lines = node.text.rstrip("\n")
        # What goes on below has to stand deeper than its key.
        deeper = any(line[:1].strip() for line in lines.split("\n")[1:])
        return " " + moved(lines, column + 2 * deeper, first_line=False) + "\n"
    text = source.text[source.line_start(node.first) : node.end].rstrip("\n") + "\n"
    properties = source.text[node.start : node.first].strip() if node.start < node.first else ""
    inner = moved(text, column + 2 - node.column, first_line=True)
    if dash and not properties:
        return " " + inner.lstrip(" ")
    return f" {properties}\n{inner}" if properties else f"\n{inner}"


def entry_of(text: str, shape: Element, column: int) -> Slot:
    """The edited value as an entry that has the key, or the dash, of `shape`.

    Raises:
        Unreadable: the value is no YAML.
    """
    if shape.value is None:
        lines = text.rstrip("\n") + "\n"
        return Slot(shape.gap_text, (moved(lines, column, first_line=True),), (), is_comment=True)
    node = fragment(text)
    if shape.flow:
        key = "" if shape.key is None else f"{shape.key.text}: "
        value = "" if node is None else node.text
        return Slot("", (), (key + value,), key=_key(shape), expected=node, flow=True)
    if shape.rooted:
        return Slot("", (shape.lead_text,), (text.rstrip("\n") + "\n",), expected=node)
    key = "-" if shape.key is None else f"{shape.key.text}:"
    body = key + value_lines(node, column, dash=shape.key is None)
    lead = moved(shape.lead_text, column - shape.column, first_line=True)
    return Slot(shape.gap_text, (lead,), (body,), key=_key(shape), expected=node)


def _key(shape: Element) -> object:
    return None if shape.key is None else shape.key.data


def whole_entry(text: str, shape: Element, column: int) -> Slot:
    """An edited entry with its key: a mapping of one pair, or a list's element.

    Raises:
        Unreadable: it is no YAML, or for a mapping's entry not one pair.
    """
    if shape.key is None:
        return entry_of(text, shape, column)
    node = fragment(text)
    if node is None or node.kind != "mapping" or len(node.children) != 2:  # noqa: PLR2004 - a pair
        raise Unreadable(LABEL, 1, 1, "not one key with its value", "write `key: value`")
    key, value = node.children
    body = f"{key.text}:" + value_lines(value, column, dash=False)
    lead = moved(shape.lead_text, column - shape.column, first_line=True)
    return Slot(shape.gap_text, (lead,), (body,), key=key.data, expected=value)


def list_items(text: str, column: int) -> list[Slot]:
    """An edited stretch of a list: the elements of a YAML list.

    Raises:
        Unreadable: it is no list.
    """
    node = fragment(text)
    if node is None:
        return []
    if node.kind != "sequence":
        raise Unreadable(LABEL, 1, 1, "not a list", "write the elements as a YAML list")
    return [
        Slot("", (), ("-" + value_lines(child, column, dash=True),), expected=child)
        for child in node.children
    ]
