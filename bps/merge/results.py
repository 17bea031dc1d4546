"""What merging a value can come to."""

from __future__ import annotations

from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import Kind
from bps.merge.slots import Expected, Piece


class Fresh(NamedTuple):
    """A value put together anew; `layout` is the entry whose key and style it follows.

    `pieces` stand behind the key or dash; `block`: they are lines of entries; `after` is what
    follows a value on its line, to be given the comment that was picked.
    """

    layout: Element
    pieces: tuple[Piece, ...]
    expected: Expected
    block: bool
    after: str = ""


class Conflicting(NamedTuple):
    """Why the value is left to a person."""

    kind: Kind
    strategy: str = ""
    finding: str | None = None


Result = Element | Fresh | Conflicting
