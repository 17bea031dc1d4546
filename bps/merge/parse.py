"""Text to documents: libyaml's events, kept as spans. Nothing is resolved and nothing copied."""

from __future__ import annotations

import re
from collections.abc import Callable

from _ruamel_yaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from bps.blueprint.respelling import further, respelled, spelled_back
from bps.merge.refusals import Unreadable
from bps.merge.source import ALIAS, KEEPS, MAPPING, SCALAR, SEQUENCE, Document, Node, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class _Events(Protocol):
        def get_event(self) -> Event: ...


MAX_DEPTH = 64
"""As in the blueprint profile; a merge takes eight Python frames a level."""
_BEFORE_DASH = r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*"


def parse(source: Source, depth: int = 0) -> list[Document]:
    """The documents of a text that is YAML; one empty document where it has none.

    `depth` counts the collections that the text stands in, where it is a part of one.

    Raises:
        Unreadable: it is no YAML, or nested deeper than 64 collections.

    Cost: one pass of libyaml and one node a scalar and collection; about 0.2 s a MB.
    Two passes where a plain scalar between brackets holds a colon.
    """
    try:
        return _Builder(source, depth).run()
    except YAMLError as error:
        other = respelled(source.text)
        if other is None:
            raise _refusal(source, error) from None
        source.aliases.clear()
        source.anchored.clear()
        try:
            return _Builder(source, depth, other).run()
        except YAMLError as another:
            raise _refusal(source, further(error, another)) from None


def validate(source: Source) -> None:
    """Read a text without keeping anything.

    Raises:
        Unreadable: it is no YAML, or nested deeper than 64 collections.

    Cost: libyaml alone, 20 ms a MB, but for texts with many brackets, which are parsed.
    """
    if source.text.count("[") + source.text.count("{") > MAX_DEPTH:
        # libyaml alone is quadratic in how deep they are nested, and parsing stops at a depth.
        parse(source)
        return
    try:
        CParser(source.text).raw_parse()
    except YAMLError as error:
        other = respelled(source.text)
        if other is None:
            raise _refusal(source, error) from None
        try:
            CParser(other).raw_parse()
        except YAMLError as another:
            raise _refusal(source, further(error, another)) from None


def _refusal(source: Source, error: YAMLError) -> Unreadable:
    problem = str(error)
    line, column = 1, 1
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = f"{error.problem} {error.context or ''}".strip()
        if mark is not None:
            line, column = mark.line + 1, mark.column + 1
    elif isinstance(character := getattr(error, "character", None), int):
        # A ReaderError, whose position counts bytes; its module is slow to import.
        line, column = source.position(max(0, source.text.find(chr(character))))
        problem = f"the character U+{character:04X} is not allowed"
    return Unreadable(
        source.label, line, column, f"not YAML: {problem}", "correct the YAML at this place"
    )


def _ignore(_event: Event) -> None:
    """Accept an event that says nothing."""


class _Builder:
    """One pass over the events of a text."""

    def __init__(self, source: Source, depth: int, spelling: str | None = None) -> None:
        """`spelling` is what libyaml is given in place of the text (`respelling`)."""
        self._source = source
        self._spelling = spelling
        self._deepest = MAX_DEPTH - depth
        self._text = source.text
        self._documents: list[Document] = []
        self._stack: list[Node] = []

    def run(self) -> list[Document]:
        parser: _Events = CParser(self._spelling or self._text)
        get_event = parser.get_event
        handlers: dict[type[Event], Callable[..., None]] = {
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
            MappingStartEvent: self._enter,
            SequenceStartEvent: self._enter,
            MappingEndEvent: self._leave,
            SequenceEndEvent: self._leave,
            DocumentStartEvent: self._begin,
            DocumentEndEvent: self._finish,
            StreamStartEvent: _ignore,
        }
        while True:
            event = get_event()
            kind = type(event)
            if kind is StreamEndEvent:
                return self._closed()
            handlers[kind](event)

    def _alias(self, event: AliasEvent) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        node = Node(self._source, ALIAS, start, end, None, None)
        node.value = event.anchor
        self._source.aliases.append(node)
        self._add(node)

    def _add(self, node: Node) -> None:
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self._documents[-1].root = node

    def _scalar(self, event: ScalarEvent) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        tag = event.ctag
        node = Node(
            self._source, SCALAR, start, end, event.anchor, None if tag is None else str(tag)
        )
        node.value = event.value
        if self._spelling is not None:
            node.value = spelled_back(event.value)
        if node.anchor is not None:
            self._source.anchored.append(node)
        style = event.style
        if style:
            node.style = style
            if style in "|>":
                node.end = self._end_of_block_scalar(start, end, node.value)
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self._documents[-1].root = node

    def _end_of_block_scalar(self, start: int, end: int, value: str) -> int:
        """Without the blank lines behind it, which libyaml counts in, where they are layout."""
        text = self._text
        header = text[start : text.find("\n", start) + 1 or len(text)]
        if re.search(KEEPS, header):
            return end
        last = value.rstrip("\n").rpartition("\n")[2]
        if value and not last.strip():
            return end
        content = len(text[start:end].rstrip())
        return min(end, text.find("\n", start + content) + 1 or len(text))

    def _enter(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        mark = event.start_mark
        tag = event.ctag
        kind = MAPPING if type(event) is MappingStartEvent else SEQUENCE
        node = Node(
            self._source,
            kind,
            mark.index,
            mark.index,
            event.anchor,
            None if tag is None else str(tag),
        )
        if node.anchor is not None:
            self._source.anchored.append(node)
        node.flow = bool(event.flow_style)
        node.column = mark.column
        if len(self._stack) >= self._deepest:
            what = f"nested deeper than {MAX_DEPTH} collections"
            hint = "flatten the structure"
            raise Unreadable(self._source.label, mark.line + 1, mark.column + 1, what, hint)
        self._add(node)
        self._stack.append(node)

    def _leave(self, event: MappingEndEvent | SequenceEndEvent) -> None:
        node = self._stack.pop()
        if node.flow:
            # A single pair in a flow sequence has no brackets of its own.
            bracketed = self._text[event.end_mark.index - 1 : event.end_mark.index] in {"}", "]"}
            implicit = node.kind == MAPPING and node.children and self._is_pair(node)
            if bracketed and not implicit:
                node.end = event.end_mark.index
                return
        children = node.children
        node.end = max(node.start, children[-1].end) if children else event.end_mark.index
        if node.flow:
            return
        if node.anchor is None and node.tag is None:
            node.first = node.start
        elif node.kind == MAPPING:
            node.first = self._first_key(node)
        else:
            node.first = self._first_dash(node)
        if node.first != node.start:
            node.column = node.first - self._source.line_start(node.first)

    def _is_pair(self, node: Node) -> bool:
        parent = self._stack[-1] if self._stack else None
        in_flow_sequence = parent is not None and parent.flow and parent.kind == SEQUENCE
        return in_flow_sequence and self._text[node.start] != "{" and node.tag is None

    def _first_dash(self, node: Node) -> int:
        """The first dash of a block sequence with an anchor or a tag, which stand lines above."""
        found = re.compile(_BEFORE_DASH).match(self._text, self._source.line_end(node.start))
        return node.start if found is None else found.end()

    def _first_key(self, node: Node) -> int:
        """The first key of a block mapping with an anchor or a tag, or the `?` before that key."""
        found = re.compile(_BEFORE_DASH).match(self._text, self._source.line_end(node.start))
        if found is not None and self._text.startswith("?", found.end()):
            return min(found.end(), node.children[0].start)
        return node.children[0].start

    def _begin(self, event: DocumentStartEvent) -> None:
        start = event.start_mark.index
        if self._documents:
            before = self._documents[-1]
            if not before.explicit:
                before.body_end = max(before.body_end, self._source.line_start(start))
            at = before.body_end
        else:
            at = 0
        document = Document(self._source, at, at)
        if event.explicit:
            document.body = event.end_mark.index
        self._documents.append(document)

    def _finish(self, event: DocumentEndEvent) -> None:
        document = self._documents[-1]
        if self._text.startswith("---", document.body - 3) and document.body > document.start:
            document.body = self._behind_marker(document)
        document.body_end = max(document.body, event.start_mark.index)
        if event.explicit:
            document.explicit = True
            document.body_end = self._source.line_start(event.start_mark.index)

    def _behind_marker(self, document: Document) -> int:
        """Behind the line of `---`, or at the content where that shares the line."""
        end = self._source.line_end(document.body)
        root = document.root
        if root is not None and document.body < root.start < end and root.start != root.end:
            return root.start
        return end

    def _closed(self) -> list[Document]:
        if not self._documents:
            self._documents.append(Document(self._source, 0, 0))
        last = self._documents[-1]
        if not last.explicit:
            last.body_end = len(self._text)
        return self._documents
