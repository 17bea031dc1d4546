"""Comment blocks that several editors changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bps.merge.lines import Contested

_COMMENT_LINE = r"(?m)^[ \t]*(#[^\n]*\w)"


def doubled_comments(
    result: str, base: str, sides: Sequence[str], *, clean: bool = True
) -> list[str]:
    """Comments that stand in the result more often than their editors left them.

    Seen where one editor put an entry between a comment and what it belonged to. Only comments
    that no version has twice are counted: of others it cannot be told which one was meant.
    Where it is not `clean`, the result is what stands outside of conflicts.
    """
    if clean and len({text.count("#") for text in {result, base, *sides}}) == 1:
        # Nothing came, went or stands twice; an edited comment is none of this.
        return []
    comments, its_base = re.findall(_COMMENT_LINE, result), re.findall(_COMMENT_LINE, base)
    theirs = [re.findall(_COMMENT_LINE, text) for text in sides if text != base]
    if all(each == its_base for each in (comments, *theirs)):
        return []
    before, *after = versions = [Counter(each) for each in (its_base, *theirs)]
    found = []
    for comment, count in Counter(comments).items():
        changes = [version[comment] - before[comment] for version in after]
        written = sum(change for change in changes if change > 0)
        expected = before[comment] + written + min(0, *changes)
        if count > expected and all(version[comment] <= 1 for version in versions):
            found.append(comment)
    return found


def stripped(text: str) -> list[str]:
    """The lines of a comment without their indent, blank lines around it left out."""
    return [line.strip() for line in text.strip().split("\n")] if text.strip() else []


def merge_comments(pairs: Sequence[tuple[str, str]]) -> list[str] | None:
    """Merge comment blocks, given as (base, side) of each editor, line by line.

    None where editors put different lines in one place, replaced or deleted as a whole what
    another one rewrote, or forked from different comments. Lines that one editor deletes inside a
    stretch that another one rewrites are deleted: both edits are then in the result.
    """
    edits = [(stripped(base), stripped(side)) for base, side in pairs]
    edits = [(base, side) for base, side in edits if base != side]
    if not edits:
        return stripped(pairs[0][0])
    if all(side == edits[0][1] for _, side in edits):
        return edits[0][1]
    base = edits[0][0]
    if any(each != base for each, _ in edits):
        return None
    from bps.merge.lines import Contested, merge_lines  # noqa: PLC0415 - rare, as are such edits

    merged: list[str] = []
    for chunk in merge_lines(base, [side for _, side in edits]):
        if not isinstance(chunk, Contested):
            merged += chunk.lines
            continue
        rewritten = _rewritten(chunk)
        if rewritten is None:
            return None
        merged += rewritten
    return merged


def _rewritten(chunk: Contested) -> list[str] | None:
    """The one rewrite of a stretch in which the other editors did nothing but delete lines."""
    if not chunk.base:
        return None
    kept = [side for side in chunk.sides if _is_part(side, chunk.base)]
    fresh = [side for side in chunk.sides if not _is_part(side, chunk.base)]
    if not kept or any(not side for side in kept) or any(side != fresh[0] for side in fresh[1:]):
        return None
    gone: Counter[str] = Counter()
    for side in kept:
        gone |= Counter(chunk.base) - Counter(side)
    if not fresh:
        return _less(chunk.base, gone)
    if any(line in gone for line in fresh[0] if line != "#"):
        return None
    left = Counter(chunk.base)["#"] - gone["#"]
    if gone["#"] and fresh[0].count("#") > left:
        # Of several alike it cannot be told which one goes.
        return None if left else [line for line in fresh[0] if line != "#"]
    return fresh[0]


def _less(lines: Sequence[str], gone: Counter[str]) -> list[str] | None:
    """The lines without these; None where of several alike not all go."""
    if any(line in gone and gone[line] != count for line, count in Counter(lines).items()):
        return None
    return [line for line in lines if line not in gone]


def _is_part(lines: Sequence[str], base: Sequence[str]) -> bool:
    """Whether `lines` are some of the base's, in its order."""
    rest = iter(base)
    return all(line in rest for line in lines)
