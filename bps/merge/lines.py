"""diff3 on lines: any number of sides against one base.

Source: S. Khanna, K. Kunal, B. C. Pierce, "A Formal Investigation of Diff3" (FSTTCS 2007), with
two rules more, which are git's: changes that touch are in each other's way, and lines added or
deleted beside equal ones count as the last of them (`xdl_change_compact` of its xdiff). And one
that git lacks: changes with the same new lines, with nothing between but lines of their own, may
be one change that was aligned in two ways, and are in each other's way too.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def _joined(
    groups: list[list[_Hunk]], base: list[str], sides: Sequence[list[str]]
) -> list[list[_Hunk]]:
    """With those as one of which two sides' changes may be one change.

    That is, one side added a line in the one and another side in the other, the base lacks it, and
    all between them that everybody kept are lines that they added too.
    """
    known = set(base)
    fresh = [_added(group, sides, known) for group in groups]
    every: list[set[str]] = [set() for _ in sides]
    for by_side in fresh:
        for side, lines in by_side.items():
            every[side] |= lines
    if len(set().union(*every)) == sum(map(len, every)):
        # No line is new to two sides.
        return groups
    joined: list[list[_Hunk]] = []
    new: list[dict[int, set[str]]] = []
    for group, its in zip(groups, fresh, strict=True):
        at = _may_be_one_with(joined, new, group, its, base, sides)
        own = [hunk for each in (*joined[at:], group) for hunk in each]
        joined[at:] = [own]
        new[at:] = [_added(own, sides, known)]
    return joined


def _may_be_one_with(
    joined: list[list[_Hunk]],
    new: list[dict[int, set[str]]],
    group: list[_Hunk],
    fresh: dict[int, set[str]],
    base: list[str],
    sides: Sequence[list[str]],
) -> int:
    """The index of the first group from which on all are one with this one; else their number."""
    first = len(joined)
    start, between = group[0].start, set[str]()
    lines = _all_added(group, sides)
    for at in range(len(joined) - 1, max(-1, len(joined) - 1 - REACH), -1):
        lines |= _all_added(joined[at], sides)
        between.update(base[max(hunk.end for hunk in joined[at]) : start])
        if not between <= lines:
            break
        start = joined[at][0].start
        if any(
            (fresh.get(one, set()) - fresh.get(other, set())) & (its - new[at].get(one, set()))
            for other, its in new[at].items()
            for one in fresh
            if one != other
        ):
            first = at
    return first


def _added(group: list[_Hunk], sides: Sequence[list[str]], known: set[str]) -> dict[int, set[str]]:
    """The lines of a group by side, without those that are known."""
    found: dict[int, set[str]] = {}
    for hunk in group:
        lines = set(sides[hunk.side][hunk.its_start : hunk.its_end]) - known
        found.setdefault(hunk.side, set()).update(lines)
    return found


def _all_added(group: list[_Hunk], sides: Sequence[list[str]]) -> set[str]:
    return set().union(*_added(group, sides, set()).values())


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
