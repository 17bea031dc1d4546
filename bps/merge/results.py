"""What merging a value can come to."""

from __future__ import annotations

from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import Kind
from bps.merge.slots import Expected, Piece
from bps.merge.source import Node


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


class Doubt(NamedTuple):
    """Why the entries of `nodes`, one in each version that has it, are left to a person.

    `changers` changed them, `labels` name all whose changes met there. `whole`: not a part of
    them alone.
    """

    kind: Kind
    finding: str
    nodes: tuple[Node, ...]
    labels: tuple[str, ...]
    changers: frozenset[str]
    whole: bool = False


Result = Element | Fresh | Conflicting
