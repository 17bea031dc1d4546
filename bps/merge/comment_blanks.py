"""The blanks behind comments, which editors change without a word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bps.merge.three_way import picked

_BLANKS_BEHIND = r"(?m)^[ \t]*#[^\n]*[ \t]$"


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


def with_comment_blanks(text: str, canonical: str, edits: Sequence[tuple[str, str]]) -> str:
    """A result with the blanks behind comment lines that editors, as (base, side), left there.

    A comment below which somebody put an entry is that entry's in his version and another one's in
    the others, so that no merge of an entry sees both. Of a line that a version has twice it is
    not told which one is meant. Cost: a search of each text, and a pass where blanks changed.
    """
    every = [*edits, *((base, canonical) for base in dict.fromkeys(base for base, _ in edits))]
    blanks = {e: re.findall(_BLANKS_BEHIND, e) for e in {e for edit in every for e in edit}}
    if all(blanks[base] == blanks[side] for base, side in every):
        return text
    ends = {each: _line_ends(each) for each in blanks}
    mine = _line_ends(text)
    lines = text.split("\n")
    for at, line in enumerate(lines):
        content = line.strip()
        if not content.startswith("#") or content not in mine or line.endswith("\r"):
            continue
        known = [
            (ends[base][content], ends[side][content])
            for base, side in every
            if content in ends[base] and content in ends[side]
        ]
        changes = [side for base, side in known if base != side]
        if changes and mine[content] not in changes:
            own = ends[canonical].get(content, known[0][0])
            lines[at] = line.rstrip(" \t") + picked(own, known)
    return "\n".join(lines)


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
