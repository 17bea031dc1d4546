"""Changes of an ordered list that one editor made, and another one with more beside it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from bps.merge.elements import Element
from bps.merge.hunks import Hunk, HunkGroup, ListSide
from bps.merge.run import Run


def parted(run: Run, sides: Sequence[ListSide]) -> list[ListSide]:
    """The sides with each hunk that begins or ends with another side's hunk cut in two there."""
    if len(sides) < 2:  # noqa: PLR2004 - nobody to be compared with
        return list(sides)
    hunks = [list(side.hunks) for side in sides]
    again = True
    while again:
        again = False
        for who, own in enumerate(hunks):
            others = [found for at, found in enumerate(hunks) if at != who]
            cut: list[Hunk] = []
            for hunk in own:
                cut += _cut(run, hunk, [each for found in others for each in _near(hunk, found)])
            again = again or len(cut) > len(own)
            hunks[who] = cut
    return [side._replace(hunks=own) for side, own in zip(sides, hunks, strict=True)]


def _near(hunk: Hunk, others: Sequence[Hunk]) -> Iterator[Hunk]:
    """Those of a side's hunks, in order, that touch a hunk."""
    first = bisect_left(others, hunk.start, key=lambda each: each.end)
    return takewhile(lambda each: each.start <= hunk.end, islice(others, first, None))


def _cut(run: Run, hunk: Hunk, others: Sequence[Hunk]) -> list[Hunk]:
    """The hunk, or its part that another one made too and what is left before and behind it."""
    start, end, who, inserted = hunk
    for other in others:
        for low, high, begin, made in _common(hunk, other):
            stop = begin + len(made)
            if not 0 <= begin < stop <= len(inserted):
                continue
            if (low, high, stop - begin) == (start, end, len(inserted)):
                continue
            if _alike(run, made, inserted[begin:stop]):
                parts = [
                    Hunk(start, low, who, inserted[:begin]),
                    Hunk(low, high, who, inserted[begin:stop]),
                    Hunk(high, end, who, inserted[stop:]),
                ]
                return [each for each in parts if each.start < each.end or each.inserted]
    return [hunk]


def _common(hunk: Hunk, other: Hunk) -> Iterator[tuple[int, int, int, Sequence[Element]]]:
    """Where another hunk may have made part of a hunk: place, index of its elements, elements."""
    start, end, _, inserted = hunk
    made = other.inserted
    if start == end or other.start == other.end:
        # Two insertions in one gap are for a person, however much of them is alike.
        return
    if start == other.start and other.end <= end:
        yield start, other.end, 0, made
    if end == other.end and other.start >= start:
        yield other.start, end, len(inserted) - len(made), made
    low, high = max(start, other.start), min(end, other.end)
    one_by_one = end - start == len(inserted) and other.end - other.start == len(made)
    if low < high and one_by_one:
        yield low, high, low - start, made[low - other.start : high - other.start]


def agreed_parts(run: Run, group: HunkGroup) -> list[HunkGroup]:
    """A group taken apart at the hunks that several made alike; one part where nothing shows how.

    Of two hunks side by side all who made the one made the other too: then neither is in the way.
    """
    left: dict[int, list[Hunk]] = {}
    for hunk in group.hunks:
        left.setdefault(hunk.who, []).append(hunk)
    if group.as_one or len(left) < 2:  # noqa: PLR2004 - nobody to agree with
        return [group]
    steps: list[list[Hunk]] = []
    while left:
        step = _next(run, left)
        if step is None:
            return [group]
        steps.append(step)
        for hunk in step:
            left[hunk.who].pop(0)
        left = {who: own for who, own in left.items() if own}
    parts: list[list[Hunk]] = []
    before: set[int] = set()
    for step in steps:
        whos = {hunk.who for hunk in step}
        if parts and not (whos <= before or before <= whos):
            parts[-1] += step
        else:
            parts.append([*step])
        before = whos
    return [
        HunkGroup(min(h.start for h in part), max(h.end for h in part), part, as_one=False)
        for part in parts
    ]


def _next(run: Run, left: dict[int, list[Hunk]]) -> list[Hunk] | None:
    """The first hunk of those left, of all who made it alike; None where others lie across it."""
    for head in sorted((own[0] for own in left.values()), key=lambda h: (h.start, h.end)):
        alike = [own[0] for own in left.values() if _same(run, own[0], head)]
        others = [own for own in left.values() if not _same(run, own[0], head)]
        if any(_same(run, each, head) for own in others for each in own[1:]):
            continue
        return alike if all(own[0].start >= head.end for own in others) else None
    return None


def _same(run: Run, one: Hunk, other: Hunk) -> bool:
    where = (one.start, one.end) == (other.start, other.end)
    return where and _alike(run, one.inserted, other.inserted)


def _alike(run: Run, one: Sequence[Element], other: Sequence[Element]) -> bool:
    return [run.contents(each) for each in one] == [run.contents(each) for each in other]
