"""A block collection cut into elements: its entries with their comments, and detached comments.

The elements of a collection cover its lines without gap or overlap, so that writing them all is
writing the text again.
"""

from __future__ import annotations

import re

from bps.merge.source import MAPPING, Node, Source

_BLANK = {"", "\n", "\r\n"}
_BEFORE_DASH = r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*"


class Element:
    """An entry of a block collection, or a comment that stands alone.

    In the text of `source`: blank lines from `gap`, its own comment lines from `lead`, the key or
    dash at `start` (behind its indent), and everything up to `end`, whole lines. `inline`: it
    begins on its parent's line (`- a: 1`). `flow`: it is an item of a flow
    collection, without a dash. `rooted`: it is a document, whose lead is what stands
    before its content, the line of `---` included. A detached comment has neither key nor value,
    and `start` equals `end`.
    """

    __slots__ = (
        "column",
        "end",
        "flow",
        "gap",
        "inline",
        "key",
        "lead",
        "rooted",
        "source",
        "start",
        "value",
    )

    def __init__(
        self,
        source: Source,
        column: int,
        gap: int,
        lead: int,
        start: int,
        end: int,
        key: Node | None,
        value: Node | None,
    ) -> None:
        self.source = source
        self.column = column
        self.gap = gap
        self.lead = lead
        self.start = start
        self.end = end
        self.key = key
        self.value = value
        self.flow = False
        self.inline = False
        self.rooted = False

    @property
    def comment(self) -> bool:
        """Whether it is a detached comment."""
        return self.value is None

    @property
    def gap_text(self) -> str:
        """The blank lines before it."""
        return self.source.text[self.gap : self.lead]

    @property
    def lead_text(self) -> str:
        """Its comment lines, or all of a detached comment."""
        if self.value is None:
            return self.source.text[self.lead : self.end]
        if self.inline:
            return ""
        stop = self.start if self.rooted else self.source.line_start(self.start)
        return self.source.text[self.lead : stop]

    @property
    def body(self) -> str:
        """From its key or dash to the end of its last line."""
        return self.source.text[self.start : self.end]

    @property
    def tile(self) -> str:
        """Comments and body."""
        if self.inline:
            return self.source.text[self.start : self.end]
        return self.source.text[self.lead : self.end]

    @property
    def compact(self) -> bool:
        """Whether its collection begins on its own line, behind a dash."""
        value = self.value
        if value is None or self.rooted or not value.block:
            return False
        return "\n" not in self.source.text[self.start : value.first]

    @property
    def head_end(self) -> int:
        """Where the entries of its block collection begin, with the comments before them."""
        value = self.value
        assert value is not None  # noqa: S101 - asked of entries only
        if self.compact:
            return value.first
        if value.start < value.first:
            return self.source.line_end(value.start)
        if self.rooted:
            return self.start
        return self.source.line_end(self.start if self.key is None else self.key.end)


class Elements:
    """What a block collection consists of; `tail` are blank lines behind its last element."""

    __slots__ = ("entries", "items", "tail")

    def __init__(self, items: list[Element], tail: str) -> None:
        self.items = items
        self.entries = [item for item in items if item.value is not None]
        self.tail = tail


class Opaque(Exception):
    """The collection cannot be taken apart line by line."""


def split(node: Node, start: int, end: int) -> Elements | None:
    """Cut a block collection that owns the text from `start` to `end` into its elements.

    None where its shape is one that cannot be taken apart line by line: explicit keys (`? `),
    collections as keys, anything but blanks and comments between entries.
    """
    pairs: list[tuple[Node | None, Node]] = [(None, child) for child in node.children]
    if node.kind == MAPPING:
        pairs = list(node.pairs())
    items: list[Element] = []
    at = start
    try:
        for key, value in pairs:
            element = entry_at(node, at, end, key, value, items)
            items.append(element)
            at = element.end
        tail = tail_at(node, at, end, items) if at < end else ""
    except Opaque:
        return None
    return Elements(items, tail)


def entry_at(
    node: Node, at: int, end: int, key: Node | None, value: Node, items: list[Element]
) -> Element:
    """The entry whose lines begin at `at`, in a collection that ends at `end`.

    Detached comments before it go into `items`. Raises Opaque.
    """
    element = _entry(node, at, key, value, items)
    text, at = node.source.text, element.end
    if value.holds_comments and "#" in text[at : _behind_trivia(text, at, end)]:
        element.end = _deeper(node.source, at, end, node.column)
    return element


def _entry(node: Node, at: int, key: Node | None, value: Node, items: list[Element]) -> Element:
    """The entry whose text begins at `at`; detached comments before it go into `items`."""
    source, column = node.source, node.column
    begin = _begin(source.text, at, key, value)
    line = source.line_start(begin)
    last = value.end if key is None else max(value.end, key.end)
    stop = last if source.text[last - 1 : last] == "\n" else source.line_end(last)
    if line < at:
        if begin != at:
            raise Opaque
        element = Element(source, column, at, at, begin, stop, key, value)
        element.inline = True
        return element
    if begin - line != column:
        raise Opaque
    gap = lead = at
    if at != line:
        comments, gap, lead = trivia(source, column, at, line)
        items += comments
    return Element(source, column, gap, lead, begin, stop, key, value)


def tail_at(node: Node, at: int, end: int, items: list[Element]) -> str:
    """The blank lines at the end; detached comments before them go into `items`."""
    comments, gap, lead = trivia(node.source, node.column, at, end)
    items += comments
    if lead < end:
        items.append(Element(node.source, node.column, gap, lead, end, end, None, None))
        return ""
    return node.source.text[gap:end]


def _begin(text: str, at: int, key: Node | None, value: Node) -> int:
    """Where an entry's key or dash stands. Raises Opaque."""
    if key is not None:
        begin = key.start
        line = text.rfind("\n", 0, begin) + 1
        explicit = text[line:begin].rstrip(" ").endswith("?")
        if explicit or key.block or begin < at or text[max(line, at) : begin].strip() != "":
            raise Opaque
        return begin
    found = re.compile(_BEFORE_DASH).match(text, at)
    begin = at if found is None else found.end()
    if not text.startswith("-", begin) or begin > value.start:
        raise Opaque
    return begin


def _trivia_line(text: str, at: int) -> tuple[int, str] | None:
    """Where the line of `at` ends, and what it says, if it is blank or a comment."""
    stop = text.find("\n", at) + 1 or len(text)
    content = text[at:stop].lstrip(" \t")
    return (stop, content) if content in _BLANK or content[0] == "#" else None


def _behind_trivia(text: str, at: int, end: int) -> int:
    """The end of the blanks and comments from `at` on."""
    while at < end:
        found = _trivia_line(text, at)
        if found is None:
            break
        at = found[0]
    return min(at, end)


def _deeper(source: Source, at: int, end: int, column: int) -> int:
    """Behind the last of the comments that are indented deeper than the collection's entries."""
    deepest = at
    while at < end:
        found = _trivia_line(source.text, at)
        if found is None:
            break
        stop, content = found
        if content not in _BLANK:
            if stop - at - len(content) <= column:
                break
            deepest = stop
        at = stop
    return deepest


def trivia(source: Source, column: int, at: int, end: int) -> tuple[list[Element], int, int]:
    """Detached comments between `at` and `end`, then where the blanks and the lead behind begin.

    Raises Opaque where there is something else than blanks and comments.
    """
    comments: list[Element] = []
    gap = lead = at
    in_comment = False
    while at < end:
        found = _trivia_line(source.text, at)
        if found is None or found[0] > end:
            raise Opaque
        blank = found[1] in _BLANK
        if blank and in_comment:
            comments.append(Element(source, column, gap, lead, at, at, None, None))
            gap = at
            in_comment = False
        elif not blank and not in_comment:
            lead = at
            in_comment = True
        at = found[0]
        if not in_comment:
            lead = at
    return comments, gap, lead
