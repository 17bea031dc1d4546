"""Byte order mark, line ends and the last newline: one style inside the merge, merged apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.merge.named_tuple import NamedTuple
from bps.merge.refusals import Unreadable
from bps.merge.three_way import picked

_ODD_BREAKS = "\r(?!\n)|[\x85\u2028\u2029]"
BOM = "\ufeff"


class Style(NamedTuple):
    """What a text is wrapped in. `crlf` is None where it mixes both ends of lines."""

    bom: bool
    crlf: bool | None
    last_newline: bool


def style_of(text: str) -> Style:
    """Read the style of a text; one without any line break has that of LF."""
    # One character is found thirty times as fast as two.
    crlf = text.count("\r\n") if "\r" in text else 0
    mixed = 0 < crlf < text.count("\n")
    return Style(text.startswith(BOM), None if mixed else crlf > 0, text.endswith("\n"))


def plain(text: str, *, crlf: bool) -> str:
    """The text without byte order mark and, where `crlf`, with LF alone."""
    text = text.removeprefix(BOM)
    return text.replace("\r\n", "\n") if crlf and "\r" in text else text


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


class Dress:
    """The style of a merge, which its text is stripped of first and gets back at the end.

    `last_newline`: whether the result ends with one.
    """

    def __init__(self, canonical: str, edits: Sequence[tuple[str, str]]) -> None:
        """From the texts of canonical and, as (base, side), of every editor."""
        own = style_of(canonical)
        changes = [(style_of(base), style_of(side)) for base, side in edits]
        every = [own, *(style for change in changes for style in change)]
        self._pure = all(style.crlf is not None for style in every)
        self._bom = picked(own.bom, [(base.bom, side.bom) for base, side in changes])
        self._crlf = picked(own.crlf, [(base.crlf, side.crlf) for base, side in changes])
        self.last_newline = picked(
            own.last_newline, [(base.last_newline, side.last_newline) for base, side in changes]
        )

    def stripped(self, text: str) -> str:
        """Without what `dressed` gives back."""
        return plain(text, crlf=self._pure)

    def ended(self, text: str) -> str:
        """With the last newline that the merge of the versions' has, or without."""
        if self.last_newline:
            return text if text.endswith("\n") or not text else text + "\n"
        if text.endswith(("\n\n", "\n\r\n")):
            return text
        # Where lines end both ways the CR is part of the newline too.
        return text.removesuffix("\n").removesuffix("\r")

    def dressed(self, text: str) -> str:
        """With the byte order mark and the line ends of the merge."""
        if self._pure and self._crlf:
            text = text.replace("\n", "\r\n")
        return BOM + text if self._bom else text
