"""A result by lines, for comments that a merge of entries puts beside two of them."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.lines import Contested, merge_lines, split_lines


def merged_by_lines(base: str, sides: Sequence[str]) -> str | None:
    """What all sides made of the lines of `base`; None where two made different things of one.

    Where all sides have as many lines as the base in a contested stretch each line is one of its
    own: of `# p: 1` and `# q: 1` below it one side makes an entry of the one, another of the other.
    That may mean something else than the merge of the entries; who asks has to compare.
    """
    found: list[str] = []
    for chunk in merge_lines(split_lines(base), [split_lines(each) for each in sides]):
        lines = _line_by_line(chunk) if isinstance(chunk, Contested) else chunk.lines
        if lines is None:
            return None
        found += lines
    return "".join(found)


def _line_by_line(chunk: Contested) -> list[str] | None:
    if any(len(side) != len(chunk.base) for side in chunk.sides):
        return None
    found: list[str] = []
    for line, *theirs in zip(chunk.base, *chunk.sides, strict=True):
        made = {each for each in theirs if each != line}
        if len(made) > 1:
            return None
        found.append(made.pop() if made else line)
    return found
