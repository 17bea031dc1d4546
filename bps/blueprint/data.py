"""A blueprint's text as plain data, read as YAML 1.2 core, as the profile promises every reader.

Straight from libyaml's events: ruamel.yaml's own C loader resolves YAML 1.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bps.blueprint.event_source import EventSource, read_events
from bps.blueprint.rules import Rule, refuse
from bps.blueprint.scalars import Kind, kinds
from bps.blueprint.words import may_differ_from_text

_MARKERS = ("---", "...", "%")
"""At the begin of a line they can begin or end a document."""
_UNUSUAL = (*(f"\n{each}" for each in _MARKERS), "\r", "\x85", "\u2028", "\u2029")
"""With one of these there may be several documents."""
_BEGIN = frozenset({MappingStartEvent, SequenceStartEvent})
_COME = _BEGIN | {AliasEvent}
_BEFORE_ROOT = 2
"""Events: the begin of the stream and of its document."""


def load(text: str) -> dict[str, Any]:
    """The data of a blueprint that the profile accepts.

    dict, list, str, int, float, bool and None; dates and times stay text. An alias is the same
    object as its anchor. What only the profile refuses is not judged here.

    Raises:
        InvalidBlueprint: it is not YAML, or its root is no mapping.

    Cost: 0.2 s a MiB.
    Source: YAML 1.2.2, section 10.3.2 (core schema).
    """
    try:
        root = read_events(text, lambda source: _Composer().run(source))
    except YAMLError as error:
        mark: Any = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        what = f"not YAML: {getattr(error, 'problem', error)}"
        refuse(Rule.SYNTAX, line, column, what, "correct the YAML at this place")
    if not isinstance(root, dict):
        refuse(Rule.ROOT_NOT_A_MAPPING, 1, 1, "the root is not a mapping", "put it under a key")
    return root


def surely_loads(text: str) -> bool:
    """Whether it is known, without building anything, that `load` accepts `text`.

    Cost: 15 ms a MiB. False says nothing: only `load` can tell then.
    """
    if text.startswith(_MARKERS) or any(each in text for each in _UNUSUAL):
        return False
    source: EventSource = CParser(text)
    try:
        for _ in range(_BEFORE_ROOT):
            source.get_event()
        if type(source.get_event()) is not MappingStartEvent:
            return False
        source.raw_parse()
    except YAMLError:
        return False
    return True


class _Composer:
    """The tree of one event stream, built without recursion."""

    def __init__(self) -> None:
        self.root: object = None
        self._anchors: dict[str, Any] = {}
        self._above: list[Any] = []
        """The open collections, but for the innermost."""

    def run(self, source: EventSource) -> object:
        """The root of the last document."""
        get_event = source.get_event
        inner: Any = None
        """The innermost open collection; `key` is the next one of a mapping, where it was read."""
        mapping, key = False, None
        while True:
            event: Any = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                value = event.value
                is_key = mapping and key is None
                if event.style == "" and not is_key:
                    value = plain(value)
                if event.anchor is not None:
                    self._anchors[event.anchor] = value
                if is_key:
                    key = value
                    continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                inner = self._above.pop()
                mapping, key = type(inner) is dict, None
                continue
            elif kind in _COME:
                value = self._come(event)
            elif kind is StreamEndEvent:
                return self.root
            else:
                continue
            if mapping:
                inner[key or ""] = value
                key = None
            else:
                self._add(inner, value)
            if kind in _BEGIN:
                self._above.append(inner)
                inner, mapping = value, kind is MappingStartEvent

    def _come(self, event: Any) -> Any:  # noqa: ANN401 - untyped events
        """The value that begins with an event, or that it stands for."""
        kind = type(event)
        if kind is AliasEvent:
            return self._anchors.get(event.anchor)
        value: dict[str, Any] | list[Any] = {} if kind is MappingStartEvent else []
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _add(self, inner: list[Any] | None, value: object) -> None:
        if inner is None:
            self.root = value
        else:
            inner.append(value)


_READ: dict[Kind, Callable[[str], str | int | float | bool | None]] = {
    Kind.NULL: lambda _: None,
    Kind.BOOL: lambda text: text[0] in "tT",
    Kind.INT_10: int,
    Kind.INT_16: lambda text: int(text, 16),
    Kind.INT_8: lambda text: int(text[2:], 8),
    Kind.FLOAT: float,
    Kind.NON_FINITE: lambda text: float(text.replace(".", "", 1)),
}


def plain(value: str) -> str | int | float | bool | None:
    """A plain scalar as YAML 1.2 core reads it, by `kinds`. Linear in its length."""
    if value and not may_differ_from_text(value):
        return value
    return _READ.get(kinds(value)[1], str)(value)
