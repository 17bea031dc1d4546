"""Block collections and their entries, told by lines alone: only what can be nothing else."""

from __future__ import annotations

import re

from bps.merge.named_tuple import NamedTuple
from bps.merge.source import MAPPING, SEQUENCE

_KEY = r"\w[\w.-]{0,120}"
"""A plain key, shorter than the 1,024 characters that YAML allows."""
_PLAIN = r"[\w/](?:[\w ,./()'\"=;-]*[\w./)'\"])?"
"""A scalar that no YAML rule can split, join or quote, if nothing but trivia follows it."""
_COMMENT = r"(?: +#[^\n]*| *)"
_QUOTED = r"(?:\"[^\"\\\n]*\"|'[^'\n]*'):(?=[ \n])"
_DASH = ("- ", "-\n")
_UNCLEAR = frozenset(("", "\n", "\t", "#"))
"""What a line begins with that may be no content."""
_INDICATORS = frozenset("?:-")
_INDICATED = r"[?:-](?:[ \t\n]|\Z)"
_KEY_OF = re.compile(rf"({_KEY}):(?=[ \n]|\Z)")
_VALUE = re.compile(rf" +({_PLAIN}){_COMMENT}(?:\n|\Z)")


class Unusual(Exception):
    """The text is not to be read in chunks."""


class Region(NamedTuple):
    """Lines that hold one block collection of a kind at a column, from `at` on."""

    kind: str
    column: int
    at: int


class Shape:
    """How the entries of a block collection of one kind look at one column.

    An entry is given as its lines, the first one with its margin.
    """

    __slots__ = ("_starting", "column", "events", "kind", "sentinel")

    def __init__(self, kind: str, column: int) -> None:
        margin = " " * column
        self.kind = kind
        self.column = column
        self.sentinel = f"{margin}{'z: z' if kind == MAPPING else '- z'}\n"
        """An entry, behind which another one of the collection can stand, and nothing else."""
        self.events = 6 if kind == MAPPING else 5
        """Of a document that holds just the sentinel."""
        starting = r"[^ \t\n#]" if kind == MAPPING else r"-(?![^ \t\n])"
        self._starting = re.compile(rf"\n{margin}{starting}")

    def begins(self, text: str, at: int, end: int) -> list[int]:
        """The lines that begin an entry, in the text of a region from `at` on."""
        found = []
        if at == 0 and self._starting.match("\n" + text[: self.column + 2]):
            found.append(0)
        found += [each.start() + 1 for each in self._starting.finditer(text, max(at - 1, 0), end)]
        column = self.column
        # A pattern for this too would take longer to compile than a text of 100 KB takes to check.
        if self.kind == SEQUENCE or _INDICATORS.isdisjoint([text[e + column] for e in found]):
            return found
        indicated = re.compile(_INDICATED)
        return [e for e in found if not indicated.match(text, e + column, end)]

    def key(self, entry: str, at: int = 0) -> str | None:
        """The key of an entry, if it is a plain one."""
        found = _KEY_OF.match(entry, at + self.column) if self.kind == MAPPING else None
        return None if found is None else found[1]

    def leaf(self, entry: str) -> tuple[int, int, int] | None:
        """Start and end of a plain value, and where its line ends.

        It is the value only if none but blank lines and comments follow.
        """
        behind = self._behind(entry, self.column)
        found = None if behind is None else _VALUE.match(entry, behind)
        return None if found is None else (found.start(1), found.end(1), found.end())

    def opened(self, text: str, begin: int, end: int) -> Region | None:
        """The block collection below a line that holds nothing but a key or a dash."""
        behind = self._behind(text, begin + self.column)
        below = None if behind is None else _behind_nothing(text, behind, end)
        if below is None:
            return None
        region = region_of(text, below, end)
        if region is None or region.column > self.column:
            return region
        indentless = self.kind == MAPPING and region[:2] == (SEQUENCE, self.column)
        return region if indentless else None

    def compact(self, entry: str) -> tuple[str, Region] | None:
        """The block collection behind a dash, in the text without that dash."""
        at = self._compact_at(entry)
        kind = None if at is None else _kind_at(entry, at, len(entry))
        if at is None or kind is None:
            return None
        text = f"{entry[: self.column]} {entry[self.column + 1 :]}"
        return text, Region(kind, at, 0)

    def field(self, entry: str, name: str) -> tuple[int, int] | None:
        """Start and end of a plain value whose key is the first one behind a dash."""
        at = self._compact_at(entry)
        if at is None or not entry.startswith(name, at):
            return None
        key = _KEY_OF.match(entry, at)
        if key is None or key[1] != name:
            return None
        found = _VALUE.match(entry, key.end())
        # A line that goes on at the column of the key is no part of the scalar.
        return None if found is None or not _goes_on(entry, found.end(), at) else found.span(1)

    def _compact_at(self, entry: str) -> int | None:
        """Where something stands behind a dash and blanks."""
        at = self.column + 2
        if self.kind != SEQUENCE or not entry.startswith("- ", self.column):
            return None
        while entry.startswith(" ", at):
            at += 1
        return at

    def _behind(self, text: str, at: int) -> int | None:
        """Behind the key's colon, or the dash, of an entry that begins there."""
        if self.kind == SEQUENCE:
            return at + 1 if text.startswith("-", at) else None
        found = _KEY_OF.match(text, at)
        return None if found is None else found.end()


_SHAPES: dict[tuple[str, int], Shape] = {}
_MOST_SHAPES = 256


def shape_of(kind: str, column: int) -> Shape:
    """The shape of a kind at a column, made once. Cost: a regular expression, 0.2 ms."""
    found = _SHAPES.get((kind, column))
    if found is None:
        if len(_SHAPES) >= _MOST_SHAPES:
            _SHAPES.clear()
        found = _SHAPES[kind, column] = Shape(kind, column)
    return found


def region_of(text: str, at: int, end: int) -> Region | None:
    """The block collection that begins at or after the line of `at`, if it surely is one."""
    begin, first = _behind_trivia(text, at, end)
    kind = _kind_at(text, first, end)
    if kind is None and text.startswith(('"', "'"), first, end):
        kind = MAPPING if re.compile(_QUOTED).match(text, first, end) else None
    return None if kind is None else Region(kind, first - begin, at)


def prologue_end(text: str) -> int:
    """Behind the line of `---` that a text begins with, comments before it; 0 without one."""
    begin, first = _behind_trivia(text, 0, len(text))
    if begin != first or not text.startswith("---", first):
        return 0
    return _behind_nothing(text, first + 3, len(text)) or 0


def _behind_nothing(text: str, at: int, end: int) -> int | None:
    """Where the next line begins, if no more than blanks and a comment stand on this one."""
    stop = text.find("\n", at, end)
    rest = text[at:stop].lstrip(" ")
    nothing = stop >= 0 and (not rest or (rest[0] == "#" and stop - at > len(rest)))
    return stop + 1 if nothing else None


def _behind_trivia(text: str, at: int, end: int) -> tuple[int, int]:
    """Where the first line from `at` on begins that is no blank and no comment; its first word."""
    stop = text.find("\n", at, end)
    while stop >= 0 and text[at:stop].lstrip(" \t")[:1] in {"", "#"}:
        at = stop + 1
        stop = text.find("\n", at, end)
    line = text[at : end if stop < 0 else stop]
    return at, at + len(line) - len(line.lstrip(" "))


def _kind_at(text: str, at: int, end: int) -> str | None:
    """The kind of block collection whose first entry surely begins there."""
    if text.startswith(_DASH, at, end):
        return SEQUENCE
    found = _KEY_OF.match(text, at, end)
    return None if found is None or found.end() == end else MAPPING


def _goes_on(entry: str, at: int, column: int) -> bool:
    """Whether the entry ends there, or its next line begins at just this column."""
    if at == len(entry):
        return True
    margin, first = entry[at : at + column], entry[at + column : at + column + 1]
    return margin == " " * column and first not in {"", " ", "\t", "\n"}


def content_end(text: str, begin: int, end: int, column: int) -> int | None:
    """Behind the last line of an entry at a column that is no blank and no comment.

    None where that takes more than lines to tell: a comment that is indented deeper than the
    entry, or has a quote, may be text of the entry, and a line of blanks too.
    """
    stop = end
    while True:
        line = text.rfind("\n", begin, stop - 1) + 1 or begin
        content = text[line:stop].lstrip(" ")
        first = content[:1]
        if first not in _UNCLEAR:
            return stop
        if first in {"", "\t"} or (first == "\n" and line < stop - 1):
            return None
        if first == "#" and (
            stop - line - len(content) > column or '"' in content or "'" in content
        ):
            return None
        if line == begin:
            return None
        stop = line
