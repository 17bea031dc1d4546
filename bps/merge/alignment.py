"""Which elements of an ordered list are the same ones in another version of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.lcs import matches
from bps.merge.source import MAPPING, SCALAR, SEQUENCE, Node

LIKENESS = 0.5
"""How much two elements must have in common to be one element that was edited."""
MAX_CELLS = 40_000
"""Comparisons in one gap; beyond, its elements count as replaced."""
MOST_CELLS = 80_000
"""The same in all gaps of two lists: a quarter of a second. The small gaps have theirs first."""


def token(element: Element) -> Hashable:
    """What makes two elements exactly the same."""
    if element.value is None:
        return ("#", "\n".join(line.strip() for line in element.lead_text.strip().split("\n")))
    return element.value.data


def align(
    base: Sequence[Element], side: Sequence[Element], alike: float = LIKENESS
) -> list[tuple[int, int]]:
    """Pairs of indexes, increasing in both: equal elements first, then in the gaps likely ones.

    What was moved is no edit of what stood at its new place. Cost: one `matches`, and `MOST_CELLS`
    comparisons of two elements.
    """
    tokens, its_tokens = [token(each) for each in base], [token(each) for each in side]
    exact = matches(tokens, its_tokens)
    fixed, its_fixed = {i for i, _ in exact}, {j for _, j in exact}
    gone = {each for i, each in enumerate(tokens) if i not in fixed}
    moved = gone.intersection(each for j, each in enumerate(its_tokens) if j not in its_fixed)
    gaps: list[tuple[list[int], list[int]]] = []
    at_base = at_side = 0
    for i, j in [*exact, (len(base), len(side))]:
        ours = [at for at in range(at_base, i) if tokens[at] not in moved]
        theirs = [at for at in range(at_side, j) if its_tokens[at] not in moved]
        if ours and theirs and len(ours) * len(theirs) <= MAX_CELLS:
            gaps.append((ours, theirs))
        at_base, at_side = i + 1, j + 1
    pairs = exact
    left = MOST_CELLS
    for ours, theirs in sorted(gaps, key=lambda gap: len(gap[0]) * len(gap[1])):
        left -= len(ours) * len(theirs)
        if left < 0:
            break
        found = _likely([base[at] for at in ours], [side[at] for at in theirs], alike)
        pairs += [(ours[p], theirs[q]) for p, q in found]
    return sorted(pairs)


def _likely(
    base: Sequence[Element], side: Sequence[Element], alike: float
) -> list[tuple[int, int]]:
    """The monotonic pairing of two gaps with the greatest likeness."""
    ours, theirs = ([_fields(each.value) for each in items] for items in (base, side))
    score = [[_likeness(one, other) for other in theirs] for one in ours]
    best = [[0.0] * (len(side) + 1) for _ in range(len(base) + 1)]
    for i in range(len(base) - 1, -1, -1):
        for j in range(len(side) - 1, -1, -1):
            found = max(best[i + 1][j], best[i][j + 1])
            if score[i][j] > 0 and score[i][j] >= alike:
                found = max(found, best[i + 1][j + 1] + score[i][j])
            best[i][j] = found
    pairs = []
    i = j = 0
    while i < len(base) and j < len(side):
        paired = best[i + 1][j + 1] + score[i][j]
        if score[i][j] > 0 and score[i][j] >= alike and abs(best[i][j] - paired) < 1e-9:  # noqa: PLR2004 - rounding
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def likeness(one: Node | None, other: Node | None) -> float:
    """How much two values have in common, from 0 to 1. Cost: one look at each field of both."""
    return _likeness(_fields(one), _fields(other))


_PINNED = r"([^\s@:=]{3,})(?:@|:|==)[^\s@:=/]+"
_SAME_PIN = 0.5
"""The likeness of two versions of one thing, however long a hash is."""
SHORTEST = 3
"""Characters that two scalars of a list must share to be one that was edited: `app==`."""
Fields = dict[Hashable, Node] | frozenset[Hashable] | str | None
"""A mapping's values by key, a list's items or a block scalar's lines, a text, or nothing."""


def _fields(node: Node | None) -> Fields:
    if node is None:
        return None
    if node.kind == MAPPING:
        return {key.data: value for key, value in node.pairs()}
    if node.kind == SEQUENCE:
        return frozenset(child.data for child in node.children)
    if node.kind != SCALAR:
        return None
    return lines_of(node) if node.block_scalar else node.value


def lines_of(node: Node) -> frozenset[Hashable]:
    """The lines of a block scalar that say something, unlike all that a list can hold."""
    lines = (line.strip() for line in node.text.split("\n")[1:])
    return frozenset(("line", line) for line in lines if line)


def _likeness(one: Fields, other: Fields) -> float:
    """From 0 to 1: the share of equal fields, items or lines, or of equal ends of two texts."""
    if isinstance(one, dict) and isinstance(other, dict):
        shared = sum(_field_likeness(one[key], other[key]) for key in one if key in other)
        shared += _under_other_keys(one, other)
        return shared / max(len(one), len(other), 1)
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return len(one & other) / max(len(one), len(other), 1)
    if isinstance(one, str) and isinstance(other, str):
        share = _common_ends(one, other)
        return share if share * max(len(one), len(other)) >= SHORTEST else 0.0
    return 0.0


def _under_other_keys(one: dict[Hashable, Node], other: dict[Hashable, Node]) -> int:
    """The number of equal collections that stand below a key that only the one mapping has."""
    gone = [each for key, each in one.items() if each.kind != SCALAR and key not in other]
    if not gone:
        return 0
    new = [each for key, each in other.items() if each.kind != SCALAR and key not in one]
    values = [Counter(each.data for each in nodes if each.children) for nodes in (gone, new)]
    return (values[0] & values[1]).total()


def _field_likeness(one: Node, other: Node) -> float:
    if one.data == other.data:
        return 1.0
    if one.kind != other.kind:
        return 0.0
    if one.kind == SCALAR:
        share = _common_ends(one.value, other.value)
        return 0.25 + max(share, _SAME_PIN * _alike_but_for_the_pin(one.value, other.value)) / 2
    return 0.25 + _likeness(_fields(one), _fields(other)) / 2


def _alike_but_for_the_pin(one: str, other: str) -> bool:
    """Whether two texts name one thing in two versions: `actions/checkout@v3`, `app:1.2`."""
    mine, its = re.fullmatch(_PINNED, one), re.fullmatch(_PINNED, other)
    return mine is not None and its is not None and mine[1] == its[1]


def _common_ends(one: str, other: str) -> float:
    """The share of two texts that is the same at their beginnings and ends: `a@v1`, `a@v2`."""
    head = _common_start(one, other)
    tail = _common_start(one[head:][::-1], other[head:][::-1])
    return (head + tail) / max(len(one), len(other), 1)


def _common_start(one: str, other: str) -> int:
    count = 0
    for mine, its in zip(one, other, strict=False):
        if mine != its:
            break
        count += 1
    return count
