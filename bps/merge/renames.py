"""A key or id that one editor renamed while another editor changed what it stands for."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.fragments import value_lines
from bps.merge.named_tuple import NamedTuple
from bps.merge.run import Run
from bps.merge.slots import moved
from bps.merge.source import MAPPING

Ident = Hashable


MAX_FIELDS = 32
"""Fields of a list's element that is looked for under another id."""


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
    who touched the element made alike. Where several put one other element of a list in its place
    that element counts as renamed by each, whatever they say.
    """
    found: dict[Ident, list[Rename]] = {}
    replaced: dict[Ident, list[Rename]] = {}
    for label, base, side in editors:
        gone = [ident for ident, item in base.items() if ident not in side and item.value]
        new = [ident for ident, item in side.items() if ident not in base and item.value]
        if not gone or not new:
            continue
        places, its_places = _places(base, side), _places(side, base)
        candidates: dict[Hashable, list[Ident]] = {}
        for fresh in reversed(new):
            for saying in _sayings(side[fresh]):
                candidates.setdefault((its_places[fresh], saying), []).append(fresh)
        taken: set[Ident] = set()
        for old in gone:
            for saying in _sayings(base[old]):
                waiting = candidates.get((places[old], saying), [])
                while waiting and waiting[-1] in taken:
                    waiting.pop()
                if waiting:
                    fresh = waiting.pop()
                    taken.add(fresh)
                    rename = Rename(label, base[old], fresh, side[fresh])
                    found.setdefault(old, []).append(rename)
                    break
            else:
                for rename in _replacement(
                    label, old, base, side, [n for n in new if n not in taken], (places, its_places)
                ):
                    replaced.setdefault(old, []).append(rename)
    for old, group in replaced.items():
        if len(group) > 1 and old not in found:
            found[old] = group
    return {
        ident: group for ident, group in found.items() if _contested(run, ident, group, editors)
    }


def _replacement(
    label: str,
    old: Ident,
    base: dict[Ident, Element],
    side: dict[Ident, Element],
    new: Sequence[Ident],
    places: tuple[dict[Ident, Ident], dict[Ident, Ident]],
) -> list[Rename]:
    """The one new element of a list in the place where `old` was the only one that went.

    It says something else, so it is a rename only beside another editor's of the same element.
    """
    here = places[0][old]
    came = [ident for ident in new if places[1][ident] == here]
    went = [
        ident
        for ident, item in base.items()
        if ident not in side and item.value and places[0][ident] == here
    ]
    if len(came) != 1 or len(went) != 1 or base[old].key is not None:
        return []
    return [Rename(label, base[old], came[0], side[came[0]])]


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


def _places(items: dict[Ident, Element], other: dict[Ident, Element]) -> dict[Ident, Ident]:
    """For each element the nearest one before it that both versions have."""
    places: dict[Ident, Ident] = {}
    nearest: Ident = None
    for ident, item in items.items():
        places[ident] = nearest
        if item.value is not None and ident in other:
            nearest = ident
    return places


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
