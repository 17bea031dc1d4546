"""Texts that are no YAML: libyaml's words, with a rule and a hint."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn, Protocol

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bps.blueprint.event_source import EventSource, read_events
from bps.blueprint.rules import Rule, refuse
from bps.blueprint.walk import Walk

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")

_SYNTAX_HINTS = {
    "found character that cannot start any token": "indent with spaces; quote a value that starts"
    " with a tab, @, ` or %",
    "mapping values are not allowed in this context": "quote a value that holds ': '; align keys",
    "found unexpected ':'": "quote a value that holds ':' inside [ ] or { }",
    "could not find expected ':'": "end the key with ': '; a key has at most 1,024 characters",
    "did not find expected alphabetic or numeric character": "name anchors with letters, digits, -"
    " and _ only",
    "did not find expected key": "align keys of one mapping; give every value a key",
}


class _Mark(Protocol):
    line: int
    column: int
    index: int


def judge(text: str, walk_of: Callable[[str], Walk]) -> Walk:
    """The walk over a whole text.

    Raises:
        InvalidBlueprint: for the first violation; what is no YAML at all is one too.
    """

    def read(source: EventSource) -> Walk:
        walk = walk_of(text)
        walk.run(source)
        return walk

    try:
        return read_events(text, read)
    except YAMLError as error:
        _refuse_syntax(text, error)


def _refuse_syntax(text: str, error: YAMLError) -> NoReturn:
    if not isinstance(error, MarkedYAMLError):
        refuse(Rule.SYNTAX, 1, 1, f"libyaml: {error}", "correct the YAML")
    mark: _Mark = error.problem_mark or error.context_mark
    problem = str(error.problem)
    where = (mark.line + 1, mark.column + 1)
    if problem == "found undefined tag handle":
        refuse(Rule.TAG, *where, "an explicit tag", "remove the tag")
    bad_escape = problem == "found invalid Unicode character escape code"
    if bad_escape and _SURROGATE_ESCAPE.match(text, mark.index - 2):
        what = "an escape for half of a UTF-16 surrogate pair"
        at = (mark.line + 1, mark.column - 1)
        refuse(Rule.SURROGATE, *at, what, "write the character itself, or \\U and 8 digits")
    hint = _SYNTAX_HINTS.get(problem, "correct the YAML at this place")
    context = f" {error.context}" if error.context else ""
    refuse(Rule.SYNTAX, *where, f"not YAML: {problem}{context}", hint, problem=problem)
