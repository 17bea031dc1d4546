"""A key or id that one editor renamed while another editor changed what it stands for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from bps.merge.elements import Element
from bps.merge.fragments import value_lines
from bps.merge.run import Run
from bps.merge.slots import moved
from bps.merge.source import MAPPING

Ident = Hashable


class Rename(NamedTuple):
    """`label` gave the element `old` the identity `new`; `element` is how it looks there."""

    label: str
    old: Element
    new: Ident
    element: Element


def renames(
    run: Run,
    editors: Sequence[tuple[str, dict[Ident, Element], dict[Ident, Element]]],
) -> dict[Ident, list[Rename]]:
    """Renames that meet another editor's change of the same element, by its old identity.

    A rename is an element gone and another one come in its place that says the same, the identity
    aside. One that nobody else touches needs no person and is not listed; nor is one that all
    who touched the element made alike.
    """
    found: dict[Ident, list[Rename]] = {}
    for label, base, side in editors:
        gone = [ident for ident, item in base.items() if ident not in side and item.value]
        new = [ident for ident, item in side.items() if ident not in base and item.value]
        if gone and new:
            places = _predecessors(base)
            its_places = _predecessors(side)
            for old in gone:
                for fresh in new:
                    if _says_the_same(base[old], side[fresh]) and (
                        _place(places, old, side) == _place(its_places, fresh, base)
                    ):
                        rename = Rename(label, base[old], fresh, side[fresh])
                        found.setdefault(old, []).append(rename)
                        break
    return {
        ident: group for ident, group in found.items() if _contested(run, ident, group, editors)
    }


def proposal(rename: Rename, edited: Element) -> str | None:
    """The other editor's value under the new name, as `=` and YAML, or None."""
    old, new, value = rename.old, rename.element, edited.value
    if value is None or old.value is None or new.value is None:
        return None
    if new.key is not None:
        return f"={new.key.text}:{value_lines(value, 0, dash=False)}"
    if value.kind != MAPPING or not value.block:
        return None
    before = {key.data: each for key, each in old.value.pairs()}
    text, start = value.source.text, value.first
    changed = [
        (its, fresh)
        for key, fresh in new.value.pairs()
        for name, its in value.pairs()
        if name.data == key.data and key.data in before and before[key.data].data != fresh.data
    ]
    if len(changed) != 1:
        return None
    its, fresh = changed[0]
    edited_text = text[start : its.start] + fresh.text + text[its.end : value.end]
    return f"={moved(edited_text, -value.column, first_line=False)}"


def _contested(
    run: Run,
    ident: Ident,
    group: Sequence[Rename],
    editors: Sequence[tuple[str, dict[Ident, Element], dict[Ident, Element]]],
) -> bool:
    labels = {rename.label for rename in group}
    if len({rename.new for rename in group}) > 1:
        return True
    return any(
        label not in labels and ident in base and run.differs(base[ident], side.get(ident))
        for label, base, side in editors
    )


def _predecessors(items: dict[Ident, Element]) -> dict[Ident, Ident]:
    before: dict[Ident, Ident] = {}
    previous: Ident = None
    for ident, item in items.items():
        before[ident] = previous
        if item.value is not None:
            previous = ident
    return before


def _place(before: dict[Ident, Ident], ident: Ident, other: dict[Ident, Element]) -> Ident:
    """The nearest element before it that both versions have."""
    at = before[ident]
    while at is not None and at not in other:
        at = before[at]
    return at


def _says_the_same(old: Element, new: Element) -> bool:
    one, other = old.value, new.value
    if one is None or other is None:
        return False
    if old.key is not None:
        return bool(one.data == other.data)
    if one.kind != MAPPING or other.kind != MAPPING:
        return False
    return _differing(one.data, other.data) <= 1 and len(one.pairs()) > 1


def _differing(one: Hashable, other: Hashable) -> int:
    """Fields that differ between two mappings, or a large number."""
    if not isinstance(one, frozenset) or not isinstance(other, frozenset):
        return 0 if one == other else 99
    return max(len(one - other), len(other - one))
