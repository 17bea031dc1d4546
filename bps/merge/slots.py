"""Merged entries before they are put together, and moving text to another column."""

from __future__ import annotations

from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import Conflict
from bps.merge.source import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Open(NamedTuple):
    """A conflict in the text, as whole lines of every version."""

    conflict: Conflict
    base: str
    sides: tuple[tuple[str, str], ...]


Piece = str | Open


class Computed(NamedTuple):
    """What a merged collection must read as: its kind and its children by key."""

    kind: str
    children: tuple[tuple[Any, Any], ...]


class Lines(NamedTuple):
    """What a merged block scalar must read as: its lines without their indent.

    `header`: its anchor, tag and indicators.
    """

    header: str
    lines: tuple[str, ...]

    @property
    def keep(self) -> bool:
        """Whether blank lines behind it are data."""
        return "+" in self.header.split()[-1]


Expected = Node | Computed | Lines


class Slot(NamedTuple):
    """An entry of the result at its column.

    `gap` are the blank lines before it, `lead` its comment lines, `body` begins at its key or dash
    without the indent. `whole`: `body` holds whole lines, indent and comments included, and
    nothing else does. `expected` is None for comments and open conflicts; `key` is the key's data.
    `flow`: it was an item of a flow collection and has no dash.
    """

    gap: str
    lead: tuple[Piece, ...]
    body: tuple[Piece, ...]
    whole: bool = False
    key: Any = None
    expected: Expected | None = None
    is_comment: bool = False
    flow: bool = False


def moved(text: str, columns: int, *, first_line: bool) -> str:
    """Shift the lines of a text to the right, or to the left as far as their indent allows."""
    if columns == 0 or not text:
        return text
    lines = text.split("\n")
    begin = 0 if first_line else 1
    for index in range(begin, len(lines)):
        line = lines[index]
        if not line.strip():
            continue
        if columns > 0:
            lines[index] = " " * columns + line
        else:
            indent = len(line) - len(line.lstrip(" "))
            lines[index] = line[min(indent, -columns) :]
    return "\n".join(lines)


def full_lines(element: Element, column: int) -> str:
    """An entry with its comments as whole lines at `column`."""
    shift = column - element.column
    body = element.body
    if body and not body.endswith("\n"):
        body += "\n"
    lead = element.lead_text
    if element.value is None:
        if lead and not lead.endswith("\n"):
            lead += "\n"
        return moved(lead, shift, first_line=True)
    head = moved(lead, shift, first_line=True)
    if element.flow and element.key is None:
        body = f"- {body}"
    return head + " " * column + moved(body, shift, first_line=False)


def taken(element: Element, column: int) -> Slot:
    """An entry of one version, as it is."""
    shift = column - element.column
    lead = moved(element.lead_text, shift, first_line=True)
    if element.value is None:
        return Slot(element.gap_text, (lead,), (), is_comment=True)
    return Slot(
        element.gap_text,
        (lead,) if lead else (),
        (moved(element.body, shift, first_line=False),),
        key=None if element.key is None else element.key.data,
        expected=element.value,
        flow=element.flow,
    )
