"""Which new elements of a collection stand for those that went, in one editor's version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from bps.merge.alignment import LIKENESS, likeness
from bps.merge.elements import Element
from bps.merge.source import MAPPING

Ident = Hashable
Items = dict[Ident, Element]

MAX_FIELDS = 32
"""Fields of a list's element that is looked for under another id."""
MAX_PAIRS = 400
"""Comparisons in one place; beyond, only elements that say the same are known again."""


class Replacements:
    """What went and what came, by the place: the element before that both versions have."""

    def __init__(self, base: Items, side: Items) -> None:
        self._base = base
        self._side = side
        self._gone: dict[Ident, list[Ident]] = {}
        self._new: dict[Ident, list[Ident]] = {}
        gone = [ident for ident, item in base.items() if ident not in side and item.value]
        new = [ident for ident, item in side.items() if ident not in base and item.value]
        if gone and new:
            self._gone = _by_place(base, side, gone)
            self._new = _by_place(side, base, new)
        self._pairs = self._quoted(gone, new)
        for place, olds in self._gone.items():
            fresh = self._new.get(place, [])
            known = self._pairs.keys(), set(self._pairs.values())
            self._pair(
                [each for each in olds if each not in known[0]],
                [each for each in fresh if each not in known[1]],
            )

    def alike(self) -> dict[Ident, Ident]:
        """New by old: those that say the same, or are the only ones there to say mostly that."""
        return self._pairs

    def alone(self) -> dict[Ident, Ident]:
        """The one new element of a list in a place where one went, and whatever it says."""
        taken = set(self._pairs.values())
        return {
            olds[0]: self._new[place][0]
            for place, olds in self._gone.items()
            if len(olds) == len(self._new.get(place, [])) == 1
            and olds[0] not in self._pairs
            and self._new[place][0] not in taken
            and self._base[olds[0]].key is None
        }

    def _quoted(self, gone: Sequence[Ident], new: Sequence[Ident]) -> dict[Ident, Ident]:
        """New by old, wherever they stand and whatever they say, where quotes alone differ."""
        came = {_spelling(self._side[ident], ident): ident for ident in new}
        spelled = ((old, _spelling(self._base[old], old)) for old in gone)
        return {old: came[name] for old, name in spelled if name is not None and name in came}

    def _pair(self, gone: Sequence[Ident], new: Sequence[Ident]) -> None:
        """Pair the elements of one place."""
        candidates: dict[Hashable, list[Ident]] = {}
        for fresh in reversed(new):
            for saying in _sayings(self._side[fresh]):
                candidates.setdefault(saying, []).append(fresh)
        taken: set[Ident] = set()
        for old in gone:
            for saying in _sayings(self._base[old]):
                waiting = candidates.get(saying, [])
                while waiting and waiting[-1] in taken:
                    waiting.pop()
                if waiting:
                    self._pairs[old] = waiting.pop()
                    taken.add(self._pairs[old])
                    break
        went = [ident for ident in gone if ident not in self._pairs]
        came = [ident for ident in new if ident not in taken]
        if len(went) * len(came) <= MAX_PAIRS:
            self._pair_likely(went, came)

    def _pair_likely(self, went: Sequence[Ident], came: Sequence[Ident]) -> None:
        pairs = [(old, fresh) for old in went for fresh in came if self._likely(old, fresh)]
        olds = Counter(old for old, _ in pairs)
        news = Counter(fresh for _, fresh in pairs)
        self._pairs.update((old, fresh) for old, fresh in pairs if olds[old] == news[fresh] == 1)

    def _likely(self, old: Ident, fresh: Ident) -> bool:
        one, other = self._base[old].value, self._side[fresh].value
        if one is None:
            return False
        tells = bool(one.children) or (one.block_scalar and self._base[old].key is not None)
        return tells and likeness(one, other) >= LIKENESS


def _by_place(items: Items, other: Items, wanted: Sequence[Ident]) -> dict[Ident, list[Ident]]:
    """The wanted elements by the nearest one before them that both versions have."""
    found: dict[Ident, list[Ident]] = {}
    left = set(wanted)
    nearest: Ident = None
    for ident, item in items.items():
        if ident in left:
            found.setdefault(nearest, []).append(ident)
        elif item.value is not None and ident in other:
            nearest = ident
    return found


def _spelling(element: Element, ident: Ident) -> Hashable:
    """A key or id as it is read without its quotes; None where it is no scalar."""
    if element.key is not None:
        return _unquoted(ident)
    if element.value is None or element.value.kind != MAPPING or not isinstance(ident, tuple):
        return None
    found = tuple(map(_unquoted, ident))
    return None if None in found else found


def _unquoted(data: Hashable) -> str | None:
    if isinstance(data, tuple) and data[:1] == ("plain",):
        data = data[1]
    return data if isinstance(data, str) else None


def _sayings(element: Element) -> list[Hashable]:
    """What an element says without its identity: its value, or all its fields but any one."""
    value = element.value
    if value is None:
        return []
    if element.key is not None:
        return [value.data]
    fields = value.data
    if not isinstance(fields, frozenset) or not 1 <= len(fields) <= MAX_FIELDS:
        return []
    return [fields - {field} for field in fields]
