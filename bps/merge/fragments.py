"""Values that a reviewer typed: parsed, and written where an entry stands."""

from __future__ import annotations

from bps.merge.elements import Element, split
from bps.merge.parse import parse
from bps.merge.refusals import Unreadable
from bps.merge.slots import Slot, moved, taken
from bps.merge.source import Node, Source
from bps.merge.typed import LABEL, comment_lines


def fragment(text: str) -> Node | None:
    """The one value that a text holds; None where it holds nothing.

    Raises:
        Unreadable: it is no YAML, several documents, or ends in blanks that are part of a text.
    """
    stripped = text.rstrip()
    documents = parse(Source(LABEL, stripped + "\n"))
    if len(documents) != 1 or documents[0].explicit:
        raise Unreadable(LABEL, 1, 1, "several documents", "give one value")
    root = documents[0].root
    if root is not None and ("|" in stripped or ">" in stripped):
        whole = parse(Source(LABEL, text if text.endswith("\n") else f"{text}\n"))
        if whole[0].root is None or whole[0].root.data != root.data:
            line, column = stripped.count("\n") + 1, len(stripped) - stripped.rfind("\n")
            what = "spaces or empty lines at the end that are part of the text"
            raise Unreadable(LABEL, line, column, what, "write the text in double quotes")
    return root


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


def _typed_lines(node: Node, column: int, *, dash: bool) -> str:
    """A typed value behind its key or dash, with the comments before, in and behind it."""
    source = node.source
    lines = source.text.strip("\n") + "\n"
    properties = source.text[node.start : node.first].strip() if node.block else ""
    if "#" in source.text[: node.start] or "\n" in properties:
        # On lines of their own, so that each comment stands where it was typed.
        margin = min(len(each) - len(each.lstrip(" ")) for each in lines.split("\n") if each)
        return "\n" + moved(lines, column + 2 - margin, first_line=True)
    written = value_lines(node, column, dash=dash)
    behind = source.text[node.end :]
    if "#" not in behind:
        return written
    if node.text.endswith("\n"):
        behind = "\n" + behind
    beside, _, below = behind.rstrip().partition("\n")
    # As deep as its text it would be a line of a block scalar.
    margin = column if node.block_scalar else column + 2
    below = moved(below.strip("\n") + "\n", margin, first_line=True) if below else ""
    return f"{written[:-1]}{beside.rstrip()}\n{below}"


def _refuse_comments(node: Node) -> None:
    """Refuse comments for which there is no line.

    Raises:
        Unreadable: there is one before or behind the value, or between its items.
    """
    inner = node.children or [node]
    ends = [0, *(each.end for each in inner)]
    starts = [*(each.start for each in inner), len(node.source.text)]
    for end, start in zip(ends, starts, strict=True):
        at = node.source.text.find("#", end, start)
        if at >= 0:
            line, column, *_ = node.source.span(at, at + 1)
            advice = "leave the comment out, or write the value without brackets"
            raise Unreadable(LABEL, line, column, "a comment beside a value in brackets", advice)


def _entries(node: Node, column: int) -> list[Slot] | None:
    """The entries of a typed block collection with their comments; None where it has none."""
    source = node.source
    cut = split(node, 0, len(source.text)) if node.block and node.start == node.first else None
    return None if cut is None else [taken(each, column) for each in cut.items]


def entry_of(text: str, shape: Element, column: int) -> Slot:
    """The edited value as an entry that has the key, or the dash, of `shape`.

    Raises:
        Unreadable: it is no YAML, holds no value, or for a comment's place is none.
    """
    if shape.value is None:
        lines = moved(comment_lines(text), column, first_line=True)
        return Slot(shape.gap_text, (lines,) if lines else (), (), is_comment=True)
    node = fragment(text)
    if node is None:
        what = "a comment and no value" if text.strip() else "no value"
        advice = "write null, or '' for an empty text; or take a version as it is"
        raise Unreadable(LABEL, 1, 1, what, advice)
    if shape.flow:
        key = "" if shape.key is None else f"{shape.key.text}: "
        _refuse_comments(node)
        return Slot("", (), (key + node.text,), key=_key(shape), expected=node, flow=True)
    if shape.rooted:
        return Slot("", (shape.lead_text,), (text.rstrip("\n") + "\n",), expected=node)
    key = "-" if shape.key is None else f"{shape.key.text}:"
    body = key + _typed_lines(node, column, dash=shape.key is None)
    lead = moved(shape.lead_text, column - shape.column, first_line=True)
    return Slot(shape.gap_text, (lead,), (body,), key=_key(shape), expected=node)


def _key(shape: Element) -> object:
    return None if shape.key is None else shape.key.data


def whole_entry(text: str, shape: Element, column: int) -> list[Slot]:
    """An edited entry with its key: a mapping of one pair, or a list's element.

    Its comments are the typed ones; those before it stay where none is typed there.

    Raises:
        Unreadable: it is no YAML, or for a mapping's entry not one pair.
    """
    if shape.key is None:
        return [entry_of(text, shape, column)]
    node = fragment(text)
    if node is None or node.kind != "mapping" or len(node.children) != 2:  # noqa: PLR2004 - a pair
        raise Unreadable(LABEL, 1, 1, "not one key with its value", "write `key: value`")
    lead = (moved(shape.lead_text, column - shape.column, first_line=True),)
    slots = _entries(node, column)
    if slots is not None:
        first = slots[0]
        slots[0] = first._replace(gap=shape.gap_text, lead=first.lead or lead)
        return slots
    _refuse_comments(node)
    key, value = node.children
    body = f"{key.text}:" + value_lines(value, column, dash=False)
    return [Slot(shape.gap_text, lead, (body,), key=key.data, expected=value)]


def list_items(text: str, column: int) -> list[Slot]:
    """An edited stretch of a list: the elements of a YAML list, with the comments between them.

    Raises:
        Unreadable: it is no list.
    """
    node = fragment(text)
    if node is None:
        lines = moved(text.strip() + "\n", column, first_line=True)
        return [Slot("", (lines,), (), is_comment=True)] if "#" in text else []
    if node.kind != "sequence":
        raise Unreadable(LABEL, 1, 1, "not a list", "write the elements as a YAML list")
    slots = _entries(node, column)
    if slots is not None:
        return slots
    _refuse_comments(node)
    return [
        Slot("", (), ("-" + value_lines(child, column, dash=True),), expected=child)
        for child in node.children
    ]
