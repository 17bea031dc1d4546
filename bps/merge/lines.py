"""diff3 on lines: any number of sides against one base.

Source: S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3" (FSTTCS 2007), with
two rules more, which are git's: changes that touch are in each other's way, and lines added or
deleted beside equal ones count as the last of them (`xdl_change_compact` of its xdiff). And one
that git lacks: changes with the same new lines, with nothing between but lines of their own, may
be one change that was aligned in two ways, and are in each other's way too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bps.merge.lcs import matches
from bps.merge.named_tuple import NamedTuple

REACH = 8
"""Changes before one among which another side's may be the same one."""


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

    Changes of different sides that overlap, or touch (no line between them that all kept), or may
    be one change, are one stretch: settled where all sides that changed it made the same of it,
    else contested. The chunks are in the base's order, leave nothing of it out, and their sides'
    lines put together are the sides. The order of `sides` decides nothing.

    Cost: one `matches` a side.
    """
    chunks: list[Chunk] = []
    done = 0
    hunks = [hunk for side, lines in enumerate(sides) for hunk in _hunks(base, lines, side)]
    for group in _joined(_groups(hunks), base, sides):
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


class _Stretch(NamedTuple):
    """Groups that are one: from which of them on, where they end, and what each side added there.

    `fresh` are the lines by side that the base lacks, `lines` all of them.
    """

    first: int
    end: int
    fresh: dict[int, set[str]]
    lines: set[str]


def _joined(
    groups: list[list[_Hunk]], base: list[str], sides: Sequence[list[str]]
) -> list[list[_Hunk]]:
    """With those as one of which two sides' changes may be one change.

    That is, one side added a line in the one and another side in the other, the base lacks it, and
    all between them that everybody kept are lines that they added too.
    """
    known = set(base)
    found = [_stretch(at, group, sides, known) for at, group in enumerate(groups)]
    every: dict[int, set[str]] = {}
    for each in found:
        _take(every, each.fresh)
    if len(set().union(*every.values())) == sum(map(len, every.values())):
        # No line is new to two sides.
        return groups
    stretches: list[_Stretch] = []
    for each in found:
        at = _may_be_one_with(stretches, each, groups, base)
        own, *others = [*stretches[at:], each]
        for other in others:
            _take(own.fresh, other.fresh)
            own.lines.update(other.lines)
        stretches[at:] = [own._replace(end=each.end)]
    starts = [each.first for each in stretches] + [len(groups)]
    return [
        [hunk for group in groups[start:end] for hunk in group] for start, end in pairwise(starts)
    ]


def _stretch(at: int, group: list[_Hunk], sides: Sequence[list[str]], known: set[str]) -> _Stretch:
    fresh: dict[int, set[str]] = {}
    every: set[str] = set()
    for hunk in group:
        lines = sides[hunk.side][hunk.its_start : hunk.its_end]
        every.update(lines)
        fresh.setdefault(hunk.side, set()).update(line for line in lines if line not in known)
    return _Stretch(at, max(hunk.end for hunk in group), fresh, every)


def _take(into: dict[int, set[str]], more: dict[int, set[str]]) -> None:
    for side, lines in more.items():
        into.setdefault(side, set()).update(lines)


def _may_be_one_with(
    stretches: list[_Stretch], group: _Stretch, groups: list[list[_Hunk]], base: list[str]
) -> int:
    """The index of the first stretch from which on all are one with a group; else their number."""
    first = len(stretches)
    start, between = groups[group.first][0].start, set[str]()
    seen = [group.lines]
    for at in range(first - 1, max(-1, first - 1 - REACH), -1):
        before = stretches[at]
        seen.append(before.lines)
        between.update(base[before.end : start])
        if not all(any(line in lines for lines in seen) for line in between):
            break
        start = groups[before.first][0].start
        if _share_a_new_line(group, before):
            first = at
    return first


def _share_a_new_line(group: _Stretch, before: _Stretch) -> bool:
    """Whether a side added a line here alone that another one added there alone."""
    nothing: set[str] = set()
    return any(
        line in its
        and line not in before.fresh.get(one, nothing)
        and line not in group.fresh.get(other, nothing)
        for one, lines in group.fresh.items()
        for other, its in before.fresh.items()
        if one != other
        for line in lines
    )


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
