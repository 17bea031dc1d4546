"""Where a mapping's entry goes in a text that has lost it: behind those that it followed."""

from __future__ import annotations

from typing import NamedTuple

from bps.merge.elements import Element, Elements
from bps.merge.identity import by_key


class Gap(NamedTuple):
    """A place between entries: the offset `at`, in whose `column` entries begin.

    `rank` orders several entries that go there: how many are before it where it comes from.
    """

    at: int
    column: int
    rank: int


def gap_for(entry: Element, home: Elements, text: Elements) -> Gap | None:
    """Where `entry` of the mapping `home` goes in `text`, the same mapping in another text.

    Behind the nearest one before it that both have, or else before all. None where the first entry
    begins on its parent's line, so that nothing can be written before it.
    """
    rank = home.entries.index(entry)
    here = {by_key(each): each for each in text.entries}
    before = (here.get(by_key(each)) for each in reversed(home.entries[:rank]))
    found = next((each for each in before if each is not None), None)
    if found is not None:
        return Gap(found.end, found.column, rank)
    first = text.entries[0]
    return None if first.inline else Gap(first.gap, first.column, rank)


def inserted(text: str, at: int, lines: str) -> str:
    """`text` with whole `lines` at the offset `at`, which is a line's beginning or the end."""
    if at and text[at - 1] != "\n":
        return f"{text[:at]}\n{lines.removesuffix(chr(10))}{text[at:]}"
    return text[:at] + lines + text[at:]
