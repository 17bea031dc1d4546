"""Strict JSON (RFC 8259 and I-JSON, RFC 7493): what two parsers could read differently is refused.

Cost: about 5 us a KB of ordinary JSON; nesting is counted before anything recurses.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from bps.core.errors import InvalidInput
from bps.http.problems import json_pointer, shown

MAX_NUMBER = 2**53
"""Beyond it doubles skip integers; numbers that count travel as decimal strings."""
_MAX_DIGITS = 17
_BOM = b"\xef\xbb\xbf"
# A string without an end is one token too, else each quote in it would be tried anew.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD]")


class _Refused:
    """Stands where a value was that no JSON of ours may hold, until its place is known."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


class _Reading:
    """One body being read; the parser's hooks note what they refuse."""

    def __init__(self) -> None:
        self.refused: list[_Refused] = []

    def refuse(self, why: str) -> _Refused:
        refused = _Refused(why)
        self.refused.append(refused)
        return refused

    def unique_members(self, members: list[tuple[str, Any]]) -> Any:  # noqa: ANN401 - any JSON value
        found = dict(members)
        if len(found) == len(members):
            return found
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                return self.refuse(f"the member {shown(name)!r} stands there twice")
            seen.add(name)
        return found

    def integer(self, text: str) -> Any:  # noqa: ANN401 - any JSON value
        if len(text) <= _MAX_DIGITS and -MAX_NUMBER <= (number := int(text)) <= MAX_NUMBER:
            return number
        return self.refuse("the number is beyond 2^53; large numbers travel as strings")

    def fraction(self, text: str) -> Any:  # noqa: ANN401 - any JSON value
        number = float(text)
        if math.isfinite(number) and abs(number) <= MAX_NUMBER:
            return number
        return self.refuse("the number is beyond 2^53; large numbers travel as strings")

    def constant(self, text: str) -> Any:  # noqa: ANN401 - any JSON value
        return self.refuse(f"{text} is not JSON")


def parse(data: bytes, *, max_depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """The value that `data` holds.

    Raises:
        InvalidInput: it is not such JSON; facts name a JSON pointer or a byte offset.
    """
    if data.startswith(_BOM):
        _refuse_at(0, "it begins with a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        _refuse_at(error.start, "it is not UTF-8")
    if data.count(b"[") + data.count(b"{") > max_depth:
        _check_depth(data, max_depth)
    reading = _Reading()
    try:
        value = json.loads(
            text,
            object_pairs_hook=reading.unique_members,
            parse_int=reading.integer,
            parse_float=reading.fraction,
            parse_constant=reading.constant,
        )
    except json.JSONDecodeError as error:
        _refuse_at(len(text[: error.pos].encode()), error.msg.lower())
    if reading.refused:
        refused = reading.refused[0]
        _refuse_in(value, refused)
    if _SURROGATE.search(text):
        _check_text(value, [])
    return value


def _check_depth(data: bytes, max_depth: int) -> None:
    depth = 0
    for token in _BRACKETS.finditer(data):
        mark = token[0]
        if mark in b"[{":
            depth += 1
            if depth > max_depth:
                _refuse_at(token.start(), f"it is nested deeper than {max_depth} levels")
        elif mark in b"]}":
            depth -= 1


def _check_text(value: Any, path: list[str | int]) -> None:  # noqa: ANN401 - any JSON value
    """Half of a surrogate pair is no text: it has no UTF-8, and so no canonical JSON."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            _refuse(path, "half of a surrogate pair is no text")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name, [*path, name])
            _check_text(member, [*path, name])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_text(item, [*path, index])


def _refuse_in(value: Any, refused: _Refused) -> NoReturn:  # noqa: ANN401 - any JSON value
    """Say where it stands; what a second member of the same name hid has no place of its own."""
    _refuse(_path_to(value, refused) or [], refused.why)


def _path_to(value: Any, refused: _Refused) -> list[str | int] | None:  # noqa: ANN401 - any JSON value
    if value is refused:
        return []
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, member in members:
        path = _path_to(member, refused)
        if path is not None:
            return [name, *path]
    return None


def _refuse(path: list[str | int], why: str) -> NoReturn:
    pointer = json_pointer(path)
    where = pointer or "the whole body"
    fields = {"in": "body", "pointer": pointer, "problem": why}
    raise InvalidInput(f"{where}: {why}.", fields=[{**fields}], count=1)


def _refuse_at(offset: int, why: str) -> NoReturn:
    message = f"The body is not the JSON that is taken here: {why} (byte {offset})."
    raise InvalidInput(message, offset=offset)
