"""Anchors that one editor changed and another one's aliases rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bps.merge.source import Source


def contested_anchor(editors: Sequence[tuple[str, Source, Source]]) -> str | None:
    """A sentence on an anchor that one editor changed while another one changed its aliases.

    `editors` are label, base and side. An anchor is changed where what it stands for is; aliases
    are changed where the lines that hold them are.
    """
    changed: dict[str, list[str]] = {}
    used: dict[str, list[str]] = {}
    for label, base, side in editors:
        if not (base.anchored or side.anchored or base.aliases or side.aliases):
            continue
        before, after = _anchors(base), _anchors(side)
        for name in before.keys() | after.keys():
            if before.get(name) != after.get(name):
                changed.setdefault(name, []).append(label)
        uses, its_uses = _uses(base), _uses(side)
        for name in uses.keys() | its_uses.keys():
            if uses.get(name) != its_uses.get(name):
                used.setdefault(name, []).append(label)
    for name in sorted(changed.keys() & used.keys()):
        for one in changed[name]:
            for other in used[name]:
                if one != other:
                    return f"{one} changed the anchor &{name}, and {other} what refers to it"
    return None


def repeated_anchor(result: Source, versions: Sequence[Source]) -> str | None:
    """A sentence on an anchor that the result defines twice, with aliases that could change sides.

    An alias means the last anchor of its name before it. Where no version has the anchors and
    aliases of a name in the result's order, some alias may mean another value than its author's.
    """
    names = Counter(node.anchor for node in result.anchored)
    used = {alias.value for alias in result.aliases}
    for name in sorted(str(each) for each, count in names.items() if count > 1 and each in used):
        order = _order_of(result, name)
        if all(_order_of(version, name) != order for version in versions):
            return f"the anchor &{name} is defined more than once, and editors changed around it"
    return None


def _order_of(source: Source, name: str) -> list[object]:
    anchored: list[tuple[int, object]] = [
        (node.start, node.data) for node in source.anchored if node.anchor == name
    ]
    aliases: list[tuple[int, object]] = [
        (alias.start, None) for alias in source.aliases if alias.value == name
    ]
    return [data for _, data in sorted(anchored + aliases, key=lambda each: each[0])]


def _uses(source: Source) -> dict[str, Counter[str]]:
    """The lines, without indent, that hold the aliases of each name."""
    found: dict[str, Counter[str]] = {}
    for alias in source.aliases:
        line = source.text[source.line_start(alias.start) : source.line_end(alias.start)]
        found.setdefault(alias.value, Counter())[line.strip()] += 1
    return found


def _anchors(source: Source) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for node in source.anchored:
        found.setdefault(str(node.anchor), []).append(node.data)
    return found
