"""Which elements of two sequences are the same ones: the alignment under every diff of the merge.

Patience diff (Bram Cohen): elements that occur once on both sides are anchors, the longest
increasing run of them is kept, and the stretches between are searched again. A stretch without
anchors is searched by the greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its
Variations" (Algorithmica 1, 1986). Lines without a letter or digit (`}`, blank ones) are aligned
between the others: they say nothing of which block they close.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Pair = tuple[int, int]
Link = tuple["Link | None", int, int, int]
"""A run of matches on a path: the run before it, where it starts in both, its length."""

MAX_DEPTH = 32
"""Levels of anchors within stretches between anchors; below them all is greedy."""
BUDGET = 1 << 18
"""Steps that one call may spend on shortest edit scripts, all stretches together."""
LONGEST_EDIT = 1024
"""Edits that a script may have before the search goes on from the furthest point it reached."""
LONGEST_EDIT_IN_NEED = 16
"""The same, once the budget is spent."""


def matches(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[Pair]:
    """Align two sequences: pairs (i, j) with a[i] == b[j], strictly increasing in both.

    Equality is Python's, where 1 == True == 1.0: callers that tell them apart pass tagged values.
    Of equally long alignments of a stretch, the choice hangs on the contents of that stretch
    alone, never on which side is `a`: `matches(b, a)` is the same alignment with its pairs swapped.
    That needs unequal elements to differ in type or `repr`; strings, tuples and frozensets of them
    always do.

    Cost: near-linear where sides have much in common. On any input at most
    `MAX_DEPTH * n log n + BUDGET + 80 * n` steps for n elements of both; once the budget is
    spent the alignment may be shorter than the longest one, and is still correct.
    """
    search = _Search(list(a), list(b))
    search.stretch(0, len(search.a), 0, len(search.b), 0)
    return search.pairs


class _Search:
    """One alignment under way; `left` and `right` are the elements as small numbers.

    `telling` says of each number whether its element tells what it belongs to.
    """

    __slots__ = ("a", "b", "budget", "left", "pairs", "right", "telling")

    def __init__(self, a: list[Hashable], b: list[Hashable]) -> None:
        numbers: dict[Hashable, int] = {}
        self.a = a
        self.b = b
        self.left = [numbers.setdefault(element, len(numbers)) for element in a]
        self.right = [numbers.setdefault(element, len(numbers)) for element in b]
        self.telling = [_tells(element) for element in numbers]
        self.pairs: list[Pair] = []
        self.budget = BUDGET

    def stretch(self, a0: int, a1: int, b0: int, b1: int, depth: int) -> None:
        """Append the pairs of a[a0:a1] and b[b0:b1]."""
        left, right = self.left, self.right
        while a0 < a1 and b0 < b1 and left[a0] == right[b0]:
            self.pairs.append((a0, b0))
            a0, b0 = a0 + 1, b0 + 1
        ends = a1
        while a0 < a1 and b0 < b1 and left[a1 - 1] == right[b1 - 1]:
            a1, b1 = a1 - 1, b1 - 1
        ends -= a1
        if a0 < a1 and b0 < b1:
            fixed, depth = self._fixed(a0, a1, b0, b1, depth)
            for i, j in fixed:
                if a0 < i and b0 < j:
                    self.stretch(a0, i, b0, j, depth)
                self.pairs.append((i, j))
                a0, b0 = i + 1, j + 1
            if depth <= MAX_DEPTH:
                self.stretch(a0, a1, b0, b1, depth)
        self.pairs.extend((a1 + step, b1 + step) for step in range(ends))

    def _fixed(self, a0: int, a1: int, b0: int, b1: int, depth: int) -> tuple[list[Pair], int]:
        """Return pairs of a stretch, and the depth at which to search between them.

        Beyond `MAX_DEPTH` there is nothing left between them.
        """
        anchors = self._anchors(a0, a1, b0, b1) if depth < MAX_DEPTH else []
        if anchors and self.telling[self.left[anchors[0][0]]]:
            return anchors, depth + 1
        common = set(self.left[a0:a1]).intersection(self.right[b0:b1])
        telling = {number for number in common if self.telling[number]}
        if depth < MAX_DEPTH and 0 < len(telling) < len(common):
            return self._greedy(a0, a1, b0, b1, telling), MAX_DEPTH
        return (
            (anchors, depth + 1)
            if anchors
            else (self._greedy(a0, a1, b0, b1, common), MAX_DEPTH + 1)
        )

    def _anchors(self, a0: int, a1: int, b0: int, b1: int) -> list[Pair]:
        """Return the longest increasing run of elements that occur once on both sides.

        Of those that tell something, if some do.
        """
        ours, theirs = _once(self.left, a0, a1), _once(self.right, b0, b1)
        common = [(i, theirs[number]) for number, i in ours.items() if number in theirs]
        telling = [pair for pair in common if self.telling[self.left[pair[0]]]]
        common = telling or common
        rank = {j: place for place, j in enumerate(sorted(j for _, j in common))}
        kept: list[Pair] = []
        start = furthest = 0
        for place, (_, j) in enumerate(common):
            furthest = max(furthest, rank[j])
            # All before are on the same side of all after: what follows is another question.
            if furthest == place:
                kept += self._increasing(common[start : place + 1])
                start = place + 1
        return kept

    def _increasing(self, crossing: list[Pair]) -> list[Pair]:
        if len(crossing) == 1:
            return crossing
        by_right = sorted(crossing, key=lambda pair: pair[1])
        if _is_first([self.a[i] for i, _ in crossing], [self.b[j] for _, j in by_right]):
            return _longest_increasing(crossing)
        return _swapped(_longest_increasing(_swapped(by_right)))

    def _greedy(self, a0: int, a1: int, b0: int, b1: int, among: set[int]) -> list[Pair]:
        """Return the pairs of a stretch by shortest edit scripts of the elements in `among`."""
        rows = [i for i in range(a0, a1) if self.left[i] in among]
        columns = [j for j in range(b0, b1) if self.right[j] in among]
        x, y = [self.left[i] for i in rows], [self.right[j] for j in columns]
        if _is_first([self.a[i] for i in rows], [self.b[j] for j in columns]):
            script = self._script(x, y)
        else:
            script = _swapped(self._script(y, x))
        return [(rows[i], columns[j]) for i, j in script]

    def _script(self, x: list[int], y: list[int]) -> list[Pair]:
        pairs: list[Pair] = []
        x0 = y0 = 0
        while x0 < len(x) and y0 < len(y):
            link, x0, y0 = self._reach(x, y, x0, y0)
            runs: list[Link] = []
            while link is not None:
                runs.append(link)
                link = link[0]
            for _, i, j, length in reversed(runs):
                pairs.extend((i + step, j + step) for step in range(length))
        return pairs

    def _reach(self, x: list[int], y: list[int], x0: int, y0: int) -> tuple[Link | None, int, int]:
        """Follow all scripts from (x0, y0) at once, until one is at the end or all are too long.

        Returns the runs of the best one and where it ends.
        """
        wide, high = len(x) - x0, len(y) - y0
        most = min(wide + high, LONGEST_EDIT if self.budget > 0 else LONGEST_EDIT_IN_NEED)
        # Furthest x on each diagonal x - y, from -most - 1 on; -1 where none was reached.
        far = [-1] * (2 * most + 3)
        links: list[Link | None] = [None] * (2 * most + 3)
        far[most + 2] = 0
        best = (-1, 0, 0)
        for edits in range(most + 1):
            for diagonal in range(-edits, edits + 1, 2):
                at = diagonal + most + 1
                along = far[at - 1] + 1 if 0 <= far[at - 1] < wide else -1
                down = far[at + 1] if far[at + 1] - diagonal <= high else -1
                i, came = (along, at - 1) if along > down else (down, at + 1)
                far[at] = i
                if i < 0:
                    continue
                start, j = i, i - diagonal
                while i < wide and j < high and x[x0 + i] == y[y0 + j]:
                    i, j = i + 1, j + 1
                link = links[came]
                links[at] = (link, x0 + start, y0 + j - i + start, i - start) if i > start else link
                far[at] = i
                best = max(best, (i + j, -abs(diagonal), at))
                self.budget -= i - start
                if i == wide and j == high:
                    return links[at], len(x), len(y)
            self.budget -= edits + 1
            if self.budget <= 0 and edits >= LONGEST_EDIT_IN_NEED:
                break
        at = best[2]
        return links[at], x0 + far[at], y0 + far[at] - (at - most - 1)


def _tells(element: Hashable) -> bool:
    """Whether an element is more than a line of punctuation or a blank one."""
    return not isinstance(element, str) or any(map(str.isalnum, element))


def _once(numbers: list[int], start: int, end: int) -> dict[int, int]:
    """Return where each number stands that occurs once in numbers[start:end]."""
    places: dict[int, int] = {}
    again: set[int] = set()
    for place in range(start, end):
        number = numbers[place]
        if places.setdefault(number, place) != place:
            again.add(number)
    for number in again:
        del places[number]
    return places


def _longest_increasing(pairs: list[Pair]) -> list[Pair]:
    """Return the longest run of pairs, sorted by their first, that increases in their second."""
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for place, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(j)
            piles.append(place)
        else:
            tops[pile] = j
            piles[pile] = place
    run: list[Pair] = []
    place = piles[-1]
    while place >= 0:
        run.append(pairs[place])
        place = before[place]
    return run[::-1]


def _is_first(a: list[Hashable], b: list[Hashable]) -> bool:
    """Whether `a` comes before `b`, whichever of them is called so."""
    if len(a) != len(b):
        return len(a) < len(b)
    for one, other in zip(a, b, strict=True):
        if one != other:
            mine, yours = _order_key(one), _order_key(other)
            if mine != yours:
                return mine < yours
    return True


def _order_key(element: object) -> tuple[str, Any]:
    """Give elements of any types one order; hashes would make another one in each process."""
    if isinstance(element, str):
        return "str", element
    if isinstance(element, tuple):
        return "tuple", [_order_key(each) for each in element]
    if isinstance(element, frozenset):
        return "frozenset", sorted(_order_key(each) for each in element)
    return type(element).__name__, repr(element)


def _swapped(pairs: list[Pair]) -> list[Pair]:
    return [(j, i) for i, j in pairs]
