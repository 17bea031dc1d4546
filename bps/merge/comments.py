"""Comment blocks that several editors changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bps.merge.lines import Contested


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
