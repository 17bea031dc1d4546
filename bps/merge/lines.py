"""diff3 on lines: any number of sides against one base.

Source: S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3" (FSTTCS 2007), with
two rules more, which are git's: changes that touch are in each other's way, and lines added or
deleted beside equal ones count as the last of them (`xdl_change_compact` of its xdiff).
"""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.lcs import matches
from bps.merge.named_tuple import NamedTuple


class Settled(NamedTuple):
    """A stretch that is decided: `lines`, as the sides (by index) `changed` it, all alike.

    `changed` is empty where every side kept the base.
    """

    base: list[str]
    lines: list[str]
    changed: tuple[int, ...]


class Contested(NamedTuple):
    """A stretch that a person has to decide. `sides` holds what each side has there, in order.

    `changed` names the sides (by index) that do not have the base's lines.
    """

    base: list[str]
    sides: tuple[list[str], ...]
    changed: tuple[int, ...]


Chunk = Settled | Contested


class _Hunk(NamedTuple):
    """base[start:end] became a side's lines[its_start:its_end]."""

    start: int
    end: int
    side: int
    its_start: int
    its_end: int


def split_lines(text: str) -> list[str]:
    r"""Split after each line feed, which stays; `"".join` gives the text back.

    A lone CR, U+0085, U+2028 or U+2029 ends no line here.
    """
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def merge_lines(base: list[str], sides: Sequence[list[str]]) -> list[Chunk]:
    """Merge the lines of all sides, each a change of `base`.

    Changes of different sides that overlap, or touch (no line between them that all kept),
    are one stretch: settled where all sides that changed it made the same of it, else contested.
    The chunks are in the base's order, leave nothing of it out, and their sides' lines put
    together are the sides. The order of `sides` decides nothing.

    Cost: one `matches` a side.
    """
    chunks: list[Chunk] = []
    done = 0
    hunks = [hunk for side, lines in enumerate(sides) for hunk in _hunks(base, lines, side)]
    for group in _groups(hunks):
        start, end = group[0].start, max(hunk.end for hunk in group)
        if done < start:
            chunks.append(Settled(base[done:start], base[done:start], ()))
        chunks.append(_chunk(base[start:end], start, sides, group))
        done = end
    if done < len(base):
        chunks.append(Settled(base[done:], base[done:], ()))
    return chunks


def settled_lines(chunks: Sequence[Chunk]) -> list[str] | None:
    """Return the lines of the result, or None where a chunk is contested."""
    result: list[str] = []
    for chunk in chunks:
        if isinstance(chunk, Contested):
            return None
        result += chunk.lines
    return result


def _hunks(base: list[str], lines: list[str], side: int) -> list[_Hunk]:
    hunks: list[_Hunk] = []
    start = its_start = 0
    for i, j in [*matches(base, lines), (len(base), len(lines))]:
        if start < i or its_start < j:
            hunks.append(_Hunk(start, i, side, its_start, j))
        start, its_start = i + 1, j + 1
    return _slid(hunks, base, lines)


def _slid(hunks: list[_Hunk], base: list[str], lines: list[str]) -> list[_Hunk]:
    """The same change with each addition and deletion as far down as it goes.

    Else two sides that added the same beside repeated lines (`}`) may have it in two places, and
    the result twice.
    """
    limit = len(base)
    for at in range(len(hunks) - 1, -1, -1):
        start, end, side, its_start, its_end = hunks[at]
        by = 0
        if its_start == its_end:
            while end + by < limit and base[start + by] == base[end + by]:
                by += 1
        elif start == end:
            while end + by < limit and lines[its_start + by] == lines[its_end + by]:
                by += 1
        hunks[at] = _Hunk(start + by, end + by, side, its_start + by, its_end + by)
        limit = start + by
    return hunks


def _groups(hunks: list[_Hunk]) -> list[list[_Hunk]]:
    """Put together what overlaps or touches, through others too."""
    groups: list[list[_Hunk]] = []
    end = -1
    for hunk in sorted(hunks):
        if hunk.start <= end:
            groups[-1].append(hunk)
        else:
            groups.append([hunk])
        end = max(end, hunk.end)
    return groups


def _chunk(base: list[str], start: int, sides: Sequence[list[str]], group: list[_Hunk]) -> Chunk:
    versions = [base] * len(sides)
    for side in {hunk.side for hunk in group}:
        its = [hunk for hunk in group if hunk.side == side]
        # Outside its own hunks a side has the base's lines.
        its_start = its[0].its_start - (its[0].start - start)
        its_end = its[-1].its_end + (start + len(base) - its[-1].end)
        versions[side] = sides[side][its_start:its_end]
    changed = tuple(side for side, lines in enumerate(versions) if lines != base)
    if not changed:
        return Settled(base, base, ())
    if all(versions[side] == versions[changed[0]] for side in changed):
        return Settled(base, versions[changed[0]], changed)
    return Contested(base, tuple(versions), changed)
