"""The structure rules, judged on libyaml's event stream; no tree is ever built.

Each event is judged when it arrives and then dropped, so an alias costs one event however much it
stands for, and a parse stops at the first violation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

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

from bps.blueprint.characters import position
from bps.blueprint.event_source import EventSource
from bps.blueprint.marks import Mark, refuse_at
from bps.blueprint.rules import Rule, refuse, shown
from bps.blueprint.scalar_rules import judge_escapes, judge_plain
from bps.blueprint.scalars import Kind, kinds
from bps.blueprint.words import may_differ_from_text

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_EXPANSION = 10

# Blank lines, comments and, behind a document, lines that only end it once more.
_PROLOGUE = re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?(?:\r\n|\r|\n))*+")
_EPILOGUE = re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?(?:\r\n|\r|\n)(?:\.\.\.(?=[ \t\r\n]|\Z))?)*+")
_LAST_LINE = re.compile(r"[ \t]*+(?:#[^\r\n]*+)?\Z")


class Frame:
    """An open mapping or sequence."""

    __slots__ = ("anchor", "at_key", "height", "keys", "members", "nodes_before")

    def __init__(self, anchor: str | None, nodes_before: int, *, mapping: bool) -> None:
        self.anchor = anchor
        self.nodes_before = nodes_before
        self.keys: dict[str, int] | None = {} if mapping else None
        self.at_key = mapping
        self.members = 0
        self.height = 1


class Walk:
    """One pass over a blueprint's events.

    Attributes:
        root: the root's plain or quoted scalar members that are text, of those asked for.
        task_count: entries of the root's `tasks`, or None if it has no such sequence.
    """

    def __init__(self, text: str, wanted: frozenset[str]) -> None:
        self.root: dict[str, str] = {}
        self.task_count: int | None = None
        self._text = text
        self._wanted = wanted
        self._frames: list[Frame] = []
        self._root_key: str | None = None
        self._nodes = 0
        self._unwritten = 0
        # Nodes and height of what an anchor stands for; None while its collection is open.
        self._anchors: dict[str, tuple[int, int] | None] = {}
        self._largest_alias: tuple[int, AliasEvent] | None = None
        self._ended = False
        self._handlers: dict[type[Event], Callable[..., None]] = {
            ScalarEvent: self._scalar,
            AliasEvent: self._alias,
            MappingStartEvent: self._open,
            SequenceStartEvent: self._open,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            DocumentEndEvent: self._end,
            StreamEndEvent: self._refuse_empty,
            StreamStartEvent: _ignore,
            DocumentStartEvent: _ignore,
        }

    def run(self, source: EventSource) -> None:
        """Judge the whole text by its events.

        Raises:
            InvalidBlueprint: for the first violation.
            YAMLError: it is no YAML.
        """
        self._check_prologue()
        handlers = self._handlers
        while not self._ended:
            event = source.get_event()
            handlers[type(event)](event)

    def _check_prologue(self) -> None:
        start = _match_end(_PROLOGUE, self._text, 0)
        if self._text.startswith("%", start):
            self._refuse_directive(start)

    def _end(self, end: DocumentEndEvent) -> None:
        """Judge what follows the document; libyaml takes seconds for many %TAG lines there."""
        self._ended = True
        mark: Mark = end.end_mark
        index = _match_end(_EPILOGUE, self._text, mark.index)
        if _LAST_LINE.match(self._text, index):
            return
        if end.explicit or self._text.startswith("---", index):
            hint = "submit one blueprint a file; remove what follows the first document"
            what = "a second document, or text behind the end of the document"
            refuse(Rule.SEVERAL_DOCUMENTS, *position(self._text, index), what, hint)
        if self._text.startswith("%", index):
            self._refuse_directive(index)
        what = "text behind the end of the root mapping"
        refuse(Rule.SYNTAX, *position(self._text, index), what, "correct the YAML at this place")

    def _scalar(self, event: ScalarEvent) -> None:
        if not self._frames:
            self._refuse_root(event)
        frame = self._frames[-1]
        keys = frame.keys
        self._enter(event)
        value: str = event.value
        style = event.style
        if style == "":
            if may_differ_from_text(value):
                judge_plain(event, is_key=frame.at_key)
        elif style == '"':
            judge_escapes(event)
        if keys is None:
            frame.members += 1
        elif frame.at_key:
            self._key(event, frame, keys)
        else:
            frame.at_key = True
            if len(self._frames) == 1 and self._root_key in self._wanted:
                self._keep_root_value(self._root_key, event)

    def _key(self, event: ScalarEvent, frame: Frame, keys: dict[str, int]) -> None:
        key: str = event.value
        if key in keys:
            what = f"the key {shown(key)} was used before, in line {keys[key]}"
            hint = "rename one of the two keys, or remove one"
            refuse_at(Rule.DUPLICATE_KEY, event, what, hint, first_line=keys[key])
        keys[key] = event.start_mark.line + 1
        frame.at_key = False
        if len(self._frames) == 1:
            self._root_key = key

    def _alias(self, event: AliasEvent) -> None:
        name: str = event.anchor
        frame = self._frames[-1] if self._frames else None
        if name not in self._anchors:
            what = f"the alias *{shown(name)[1:-1]} has no anchor before it"
            refuse_at(Rule.UNDEFINED_ALIAS, event, what, "define the anchor first")
        target = self._anchors[name]
        if frame is None or target is None:
            what = f"the alias *{shown(name)[1:-1]} stands inside what it stands for"
            refuse_at(Rule.RECURSIVE_ALIAS, event, what, "write the value out")
        if frame.at_key:
            refuse_at(Rule.NON_STRING_KEY, event, "an alias as a key", "write the key out")
        nodes, height = target
        self._nodes += nodes
        self._unwritten += nodes - 1
        if self._largest_alias is None or nodes > self._largest_alias[0]:
            self._largest_alias = (nodes, event)
        if self._nodes > MAX_NODES:
            self._refuse_size(event)
        if len(self._frames) + height > MAX_DEPTH:
            self._refuse_depth(event)
        frame.height = max(frame.height, height + 1)
        if frame.keys is None:
            frame.members += 1
        else:
            frame.at_key = True

    def _open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        mapping = isinstance(event, MappingStartEvent)
        frames = self._frames
        if not frames and isinstance(event, SequenceStartEvent):
            self._refuse_root(event)
        nodes_before = self._nodes
        self._enter(event)
        if frames:
            parent = frames[-1]
            if parent.at_key:
                kind = "mapping" if mapping else "sequence"
                refuse_at(Rule.NON_STRING_KEY, event, f"a {kind} as a key", "use a text key")
            if parent.keys is None:
                parent.members += 1
            else:
                parent.at_key = True
        frames.append(Frame(event.anchor, nodes_before, mapping=mapping))
        if len(frames) > MAX_DEPTH:
            self._refuse_depth(event)

    def _close(self, event: MappingEndEvent | SequenceEndEvent) -> None:
        frames = self._frames
        frame = frames.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (self._nodes - frame.nodes_before, frame.height)
        if not frames:
            self._check_expansion()
            return
        frames[-1].height = max(frames[-1].height, frame.height + 1)
        if len(frames) == 1 and self._root_key == "tasks" and type(event) is SequenceEndEvent:
            self.task_count = frame.members

    def _enter(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        """Count a node and judge its properties."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse_size(event)
        if event.ctag is not None:
            what = "an explicit tag"
            hint = "remove the tag; write text in quotes where it could be read as something else"
            refuse_at(Rule.TAG, event, what, hint)
        if event.anchor is not None:
            if event.anchor in self._anchors:
                what = f"the anchor &{shown(event.anchor)[1:-1]} was defined before"
                hint = "give each anchor a name of its own"
                refuse_at(Rule.DUPLICATE_ANCHOR, event, what, hint)
            self._anchors[event.anchor] = (1, 0) if isinstance(event, ScalarEvent) else None

    def _keep_root_value(self, key: str | None, event: ScalarEvent) -> None:
        if key is not None and (event.style != "" or kinds(event.value)[1] is Kind.TEXT):
            self.root[key] = event.value

    def _check_expansion(self) -> None:
        written = self._nodes - self._unwritten
        if self._largest_alias is not None and self._nodes > MAX_EXPANSION * written:
            self._refuse_expansion(self._largest_alias[1])

    def _refuse_size(self, event: Event) -> NoReturn:
        if self._largest_alias is not None:
            self._refuse_expansion(event)
        what = f"more than {MAX_NODES:,} keys, values and collections"
        refuse_at(Rule.TOO_MANY_NODES, event, what, "split the blueprint")

    def _refuse_expansion(self, event: Event) -> NoReturn:
        what = (
            f"with its aliases written out the blueprint has more than {MAX_NODES:,} nodes or"
            f" {MAX_EXPANSION} times what is written"
        )
        refuse_at(Rule.ALIAS_EXPANSION, event, what, "use fewer or smaller aliases")

    def _refuse_depth(self, event: Event) -> NoReturn:
        what = f"nested deeper than {MAX_DEPTH} collections"
        refuse_at(Rule.TOO_DEEP, event, what, "flatten the structure")

    def _refuse_root(self, event: ScalarEvent | SequenceStartEvent) -> NoReturn:
        if isinstance(event, ScalarEvent) and event.style == "" and event.value == "":
            self._refuse_empty(event)
        kind = "scalar" if isinstance(event, ScalarEvent) else "sequence"
        what = f"the root is a {kind}, not a mapping"
        refuse_at(Rule.ROOT_NOT_A_MAPPING, event, what, "put it under a key")

    @staticmethod
    def _refuse_empty(_event: Event) -> NoReturn:
        refuse(Rule.EMPTY, 1, 1, "the blueprint is empty", "write a mapping")

    def _refuse_directive(self, index: int) -> NoReturn:
        hint = "remove it: blueprints are YAML 1.2 and have no tags"
        refuse(Rule.DIRECTIVE, *position(self._text, index), "a YAML directive", hint)


def _ignore(_event: Event) -> None:
    """Accept an event that says nothing."""


def _match_end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where a pattern that also matches nothing stops matching."""
    found = pattern.match(text, start)
    return start if found is None else found.end()
