"""Layout, three-way like all else, and never by the order of the sides."""

from __future__ import annotations

from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def picked(canonical: T, edits: Sequence[tuple[T, T]]) -> T:
    """What the editors, as (base, side), made of something in canonical.

    Canonical's where it has a change of its own, else of the changes the first by content.
    """
    changes = [side for base, side in edits if side != base == canonical]
    return min(changes, key=str) if changes else canonical


def with_line_ends(lines: str, edits: Sequence[tuple[str, str]]) -> str:
    """Comment lines with the blanks that the editors, as (base, side), left at their ends.

    Of a line that a version has twice it is not told which one is meant.
    """
    if not any(" \n" in text or "\t\n" in text for edit in edits for text in edit):
        return lines
    ends = [(_line_ends(base), _line_ends(side)) for base, side in edits]
    found = []
    for line in lines.split("\n"):
        content = line.strip()
        known = [(base.get(content), side[content]) for base, side in ends if content in side]
        end = picked(known[0][0], known) if known else None
        found.append(line if end is None else line.rstrip() + end)
    return "\n".join(found)


def _line_ends(text: str) -> dict[str, str]:
    """The blanks at the end of each line that stands once, by what the line says."""
    found: dict[str, str] = {}
    again: set[str] = {""}
    for line in text.split("\n"):
        content = line.strip()
        if content in found:
            again.add(content)
        found[content] = line[len(line.rstrip(" \t")) :]
    return {content: end for content, end in found.items() if content not in again}
