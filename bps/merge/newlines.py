"""Byte order mark, line ends and the last newline: one style inside the merge, merged apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.merge.named_tuple import NamedTuple
from bps.merge.refusals import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

_ODD_BREAKS = "\r(?!\n)|[\x85\u2028\u2029]"
BOM = "\ufeff"


class Style(NamedTuple):
    """What a text is wrapped in. `crlf` is None where it mixes both ends of lines."""

    bom: bool
    crlf: bool | None
    last_newline: bool


def style_of(text: str) -> Style:
    """Read the style of a text; one without any line break has that of LF."""
    crlf = text.count("\r\n")
    mixed = 0 < crlf < text.count("\n")
    return Style(text.startswith(BOM), None if mixed else crlf > 0, text.endswith("\n"))


def plain(text: str, *, crlf: bool) -> str:
    """The text without byte order mark and, where `crlf`, with LF alone."""
    text = text.removeprefix(BOM)
    return text.replace("\r\n", "\n") if crlf else text


def refuse_odd_breaks(label: str, text: str) -> None:
    """Refuse line breaks that only some YAML versions know.

    Raises:
        Unreadable: a lone CR, NEL, LS or PS.
    """
    # Looking for four characters is a tenth of the pattern's time.
    if not any(each in text for each in "\r\x85\u2028\u2029"):
        return
    found = re.search(_ODD_BREAKS, text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        what = f"the line break U+{ord(found[0]):04X}, which YAML 1.1 and 1.2 read differently"
        raise Unreadable(label, line, column, what, "end lines with LF or CRLF")


def picked(canonical: T, edits: Sequence[tuple[T, T]]) -> T:
    """Three-way on layout, (base, side) an editor: the first change, unless canonical has one."""
    for base, side in edits:
        if base != side:
            return side if canonical == base else canonical
    return canonical
