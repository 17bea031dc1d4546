"""The blank lines at the end of a document, where they belong to none of its entries."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.emit import keeps_blank_lines
from bps.merge.run import Change, versions_in
from bps.merge.slots import Piece, Slot
from bps.merge.three_way import picked


def with_last_blank_lines(slot: Slot, canonical: Element | None, changes: Sequence[Change]) -> Slot:
    """A document with the blank lines at its end that the editors left there.

    As it is where a version ends with a scalar that keeps them: there they are data.
    """
    known = [each for each in (canonical, *versions_in(changes)) if each is not None]
    if keeps_blank_lines(slot) or any(e.value is not None and e.value.keeps for e in known):
        return slot
    ends = [_last_blank_lines(each) for each in known]
    own = ends.pop(0) if canonical is not None else ends[0]
    wanted = picked(own, list(zip(ends[::2], ends[1::2], strict=True)))
    rest = list(slot.body)
    behind = ""
    while rest and isinstance(rest[-1], str) and not rest[-1].strip():
        behind = f"{rest.pop()}{behind}"
    if rest and isinstance(rest[-1], str):
        behind = f"{rest.pop()}{behind}"
    had = max(("", *(e for e in (own, *ends) if f"\n{behind}".endswith(f"\n{e}"))), key=len)
    if had == wanted:
        return slot
    kept = behind.removesuffix(had)
    if wanted and kept and not kept.endswith("\n"):
        kept += known[0].source.ending
    body: tuple[Piece, ...] = (*rest, kept + wanted)
    return slot._replace(body=body)


def _last_blank_lines(element: Element) -> str:
    """Behind the value and the comments after it."""
    value, text = element.value, element.source.text
    if value is None:
        return ""
    end = value.end
    stop = end if text[end - 1 : end] == "\n" else element.source.line_end(end)
    behind = text[stop : element.end]
    comment = behind.rfind("#")
    return behind if comment < 0 else behind[comment:].partition("\n")[2]
