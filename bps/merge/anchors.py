"""Anchors that one editor changed and another one's aliases rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from bps.merge.records import CANONICAL, Kind
from bps.merge.references import References, line_of
from bps.merge.results import Doubt
from bps.merge.source import MAPPING, SEQUENCE, Document, Node, Source

Editors = Sequence[tuple[str, Source, Source]]
"""Label, base and side of each."""


def contested_anchors(
    canonical: Source, contributions: Editors, documents: Sequence[Document]
) -> list[Doubt]:
    """A doubt about each anchor that one editor changed while another changed its aliases.

    An anchor is changed where what it stands for is; aliases are changed where the lines that hold
    them are. Whoever has the anchor as the other one left it knew what the aliases stand for. An
    anchor that stands in several places is in doubt together with its aliases. `documents` are
    those of all versions. Canonical is one more editor beside each that forked from another one.
    Cost: each version's anchors and aliases once, and each doubt's own.
    """
    moved_on = [
        [(CANONICAL, editor[1], canonical), editor]
        for editor in contributions
        if editor[1] is not canonical
    ]
    groups: list[Editors] = [*moved_on, contributions]
    sources = _sources([editor for group in groups for editor in group])
    known = {each: References(each) for each in sources}
    apart: dict[str, list[tuple[str, str]]] = {}
    for editors in groups:
        for name, one, other in _meetings(editors, known):
            apart.setdefault(name, []).append((one, other))
    editors = [editor for group in groups for editor in group]
    doubts = []
    for name, meetings in sorted(apart.items()):
        one, other = meetings[0]
        doubt = Doubt(
            Kind.ANCHOR,
            f"{one} changed the anchor &{name}, and {other} what refers to it",
            tuple(node for each in sources for node in known[each].anchored.get(name, ())),
            tuple(dict.fromkeys(label for meeting in meetings for label in meeting)),
            frozenset(one for one, _ in meetings),
        )
        bases = [known[base].anchored.get(name, []) for _, base, _ in editors]
        sides = [known[side].anchored.get(name, []) for _, _, side in editors]
        fresh = not any(bases) and len([each for each in sides if each]) > 1
        if fresh or any(len(each) > 1 for each in (*bases, *sides)):
            doubt = _together(doubt, name, known, documents)
        elif any(
            name not in known[side].anchored for who, _, side in editors if who in doubt.changers
        ):
            # Without the anchor its new aliases must go too.
            doubts += _about_new_aliases(doubt, name, editors, known)
        doubts.append(doubt)
    return doubts


def _about_new_aliases(
    doubt: Doubt, name: str, editors: Editors, known: Mapping[Source, References]
) -> list[Doubt]:
    return [
        doubt._replace(nodes=(alias,), changers=frozenset((label,)))
        for label, base, side in dict.fromkeys(editors)
        if label in doubt.labels and label not in doubt.changers
        for alias in known[side].aliases.get(name, ())
        if line_of(alias) not in known[base].uses.get(name, ())
    ]


def _sources(editors: Editors) -> list[Source]:
    return list(dict.fromkeys(each for _, base, side in editors for each in (base, side)))


def _together(
    doubt: Doubt, name: str, known: Mapping[Source, References], documents: Sequence[Document]
) -> Doubt:
    """The doubt about the smallest collection that holds an anchor's places and its aliases."""
    found: list[Node] = []
    for source, references in known.items():
        nodes = references.nodes(name)
        if not nodes:
            continue
        held = _around(documents, source, min(n.start for n in nodes), max(n.end for n in nodes))
        if held is None:
            return doubt._replace(nodes=())
        found.append(held)
    return doubt._replace(nodes=tuple(found), whole=True)


def _meetings(editors: Editors, known: Mapping[Source, References]) -> list[tuple[str, str, str]]:
    """An anchor's name, who changed it, and who changed what refers to it."""
    changed: dict[str, dict[str, list[Hashable] | None]] = {}
    used: dict[str, list[str]] = {}
    after = {}
    for label, base, side in editors:
        if not (base.anchored or side.anchored or base.aliases or side.aliases):
            continue
        before, after[label] = known[base].anchored_data(), known[side].anchored_data()
        for name in before.keys() | after[label].keys():
            if before.get(name) != after[label].get(name):
                changed.setdefault(name, {})[label] = after[label].get(name)
        uses, its_uses = known[base].uses, known[side].uses
        for name in uses.keys() | its_uses.keys():
            if uses.get(name) != its_uses.get(name):
                used.setdefault(name, []).append(label)
    return [
        (name, one, other)
        for name in changed.keys() & used.keys()
        for one, anchored in changed[name].items()
        for other in used[name]
        if one != other and after[other].get(name) != anchored
    ]


def lifted(doubt: Doubt, documents: Sequence[Document]) -> Doubt:
    """The doubt about the collections around its nodes; about none where one stands in none."""
    around = [_around(documents, each.source, each.start, each.end, each) for each in doubt.nodes]
    found = tuple(each for each in around if each is not None)
    if len(found) < len(around):
        found = ()
    return doubt._replace(nodes=tuple(dict.fromkeys(found)), whole=True)


def _around(
    documents: Sequence[Document], source: Source, start: int, end: int, node: Node | None = None
) -> Node | None:
    """The smallest collection that holds a stretch of a version, other than `node` itself."""
    found = None
    children = [each.root for each in documents if each.source is source and each.root is not None]
    while children:
        at = next((c for c in children if c.start <= start and end <= c.end), None)
        if at is None or at is node or at.kind not in {MAPPING, SEQUENCE}:
            break
        found, children = at, at.children
    return found


def repeated_anchor(result: Source, versions: Sequence[Source]) -> str | None:
    """A sentence on an anchor that the result defines twice, with aliases that could change sides.

    An alias means the last anchor of its name before it. Where no version has the anchors and
    aliases of a name in the result's order, some alias may mean another value than its author's.
    """
    names = Counter(node.anchor for node in result.anchored)
    used = {alias.value for alias in result.aliases}
    twice = sorted(str(each) for each, count in names.items() if count > 1 and each in used)
    known = [References(version) for version in versions] if twice else []
    found = References(result)
    for name in twice:
        order = found.in_order(name)
        if all(version.in_order(name) != order for version in known):
            return f"the anchor &{name} is defined more than once, and editors changed around it"
    return None
