"""Conflicts of a text that merged clean and was objected to: what a veto leaves to a person.

The engine has no doubt of such a place, so that it cannot be asked; but its conflict is a record
like any other, with an id over all its variants. A decision therefore needs no validator to be
found valid, or to be applied again: law 8 holds with the versions and the decisions alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bps.merge.anchors import repeated_anchor
from bps.merge.check import dangling_aliases
from bps.merge.data import json_value
from bps.merge.elements import Element
from bps.merge.fragments import entry_of, fragment
from bps.merge.insertion import Gap, gap_for, inserted
from bps.merge.newlines import plain, style_of
from bps.merge.places import Place, Places, root_of
from bps.merge.reader import Reader
from bps.merge.records import CANONICAL, Conflict, Contribution, Kind, Resolution
from bps.merge.refusals import Unreadable
from bps.merge.rewritten import Rewrite
from bps.merge.run import Change, Run, same, variant_of
from bps.merge.slots import full_lines
from bps.merge.source import MAPPING, Node, Source
from bps.merge.typed import LABEL, anchors_in, in_lines, refuse_unknown_aliases


class Decision(NamedTuple):
    """A person's decision on the conflict `conflict`, which is at `path`."""

    conflict: str
    path: str
    resolution: Resolution


class Settled(NamedTuple):
    """A decision that met its conflict; `to` is the chosen version's element, None: it has none."""

    place: Place
    conflict: Conflict
    resolution: Resolution
    to: Element | None


class _Edit(NamedTuple):
    """What is written over `at`: lines without their indent, or None to delete it."""

    at: Element
    text: str | None

    def written(self, whole: str) -> str:
        """`whole` with it; what is behind `at` may be written already."""
        at = self.at
        start = at.gap if self.text is None else at.start if at.inline else at.lead
        new = self.text or ""
        if not whole[start : at.end].endswith("\n"):
            new = new.removesuffix("\n")
        return whole[:start] + new + whole[at.end :]


class _New(NamedTuple):
    """Lines of an entry that the mapping `parent` lacks; `shape` is a version's entry there."""

    parent: Element
    shape: Element
    gap: Gap
    position: tuple[str, ...]
    text: str

    def written(self, whole: str) -> str:
        """`whole` with it; what is behind the gap may be written already."""
        return inserted(whole, self.gap.at, self.text)


class Contest:
    """The versions of one merge, as text in which places can be contested.

    Raises:
        Unreadable: a version is no YAML.

    Cost: reading what `reader` has not read (`bps.merge.reader`).
    """

    def __init__(
        self,
        canonical: str,
        contributions: Sequence[Contribution],
        reader: Reader | None = None,
    ) -> None:
        named = [(CANONICAL, canonical)]
        for each in contributions:
            named += [(f"the base of {each.label}", each.base), (each.label, each.text)]
        self._contributions = contributions
        self._crlf = all(style_of(text).crlf is not None for _, text in named)
        self._reader = reader or Reader()
        roots: dict[str, Element | None] = {}
        for label, text in named:
            if text not in roots:
                roots[text] = root_of(self._reader, label, plain(text, crlf=self._crlf))
        self._distinct = [each for each in roots.values() if each is not None]
        self._results: dict[str, Element | None] = {}
        self._run = Run({}, {each.label: each.by for each in contributions}, CANONICAL)
        self._places = Places(self._run, [roots[text] for _, text in named])

    def conflict(self, text: str, pointer: str, finding: str) -> tuple[Place, Conflict] | None:
        """The conflict nearest to `pointer`, which is read in `text`; None where that is empty."""
        if text not in self._results:
            self._results[text] = root_of(self._reader, "the result", plain(text, crlf=self._crlf))
        root = self._results[text]
        if root is None:
            return None
        place = self._places.nearest(pointer, root)
        return place, self._told(place, finding)[0]

    def settled(self, decisions: Sequence[Decision]) -> list[Settled]:
        """The decisions whose conflict is still the same; none of them is within another."""
        found: list[Settled] = []
        for each in sorted(decisions, key=lambda each: (each.path.count("/"), each.path)):
            met = self._met(each)
            if met is not None and not any(met.place.within(other.place) for other in found):
                found.append(met)
        return found

    def written(self, merged: str, settled: Sequence[Settled]) -> str:
        """`merged` with what was decided.

        Raises:
            Unreadable: a decision cannot be written where it belongs.
        """
        text = plain(merged, crlf=self._crlf)
        root = root_of(self._reader, "the result", text)
        edits: list[_Edit] = []
        new: list[_New] = []
        rewrite = Rewrite()
        gone: list[tuple[Element, Element]] = []
        for each in settled:
            trail = None if root is None else self._places.trail(each.place, root)
            nothing = each.resolution.text is None and each.to is None
            if trail is None:
                entry = None if root is None else self._lost(each, root)
                if entry is None:
                    raise self._unwritable(each)
                if not nothing:
                    lines, value = self._chosen(each, entry.shape, entry.parent, entry.gap.column)
                    new.append(entry._replace(text=entry.shape.gap_text + lines))
                    rewrite.put(entry.position, value)
                continue
            at = _positions(self._run, trail)
            if nothing:
                if len(trail) == 1:
                    raise self._unwritable(each)
                gone.append((trail[-2], trail[-1]))
                rewrite.drop(at)
                continue
            lines, value = self._chosen(each, trail[-1], trail[-1], trail[-1].column)
            edits.append(_Edit(trail[-1], lines))
            rewrite.put(at, value)
        edits += self._deletions(gone, Counter(each.parent for each in new))
        # From the end to the beginning; what goes between two entries after the second one.
        changes: list[tuple[int, int, int, _Edit | _New]]
        changes = [(each.at.start, 1, 0, each) for each in edits]
        changes += [(each.gap.at, 0, each.gap.rank, each) for each in new]
        for *_, change in sorted(changes, key=lambda change: change[:3], reverse=True):
            text = change.written(text)
        self._check(text, rewrite, None if root is None else root.value, settled)
        return text.replace("\n", "\r\n") if self._crlf and "\r\n" in merged else text

    def _met(self, decision: Decision) -> Settled | None:
        for lead in self._distinct:
            place = self._places.nearest(decision.path, lead)
            if self._run.pointer(place.path) != decision.path:
                continue
            conflict, changes = self._told(place, None)
            if conflict.id == decision.conflict:
                return Settled(
                    place, conflict, decision.resolution, _taken(decision.resolution, changes)
                )
        return None

    def _told(self, place: Place, finding: str | None) -> tuple[Conflict, list[Change]]:
        """The conflict at a place: those who changed it are its sides, or all where nobody did."""
        canonical, *others = place.versions
        changes = [
            Change(each.label, base, side)
            for each, base, side in zip(self._contributions, others[::2], others[1::2], strict=True)
        ]
        changes = [each for each in changes if not same(each.base, each.side)] or changes
        left = next((each for each in changes if not same(canonical, each.base)), None)
        if left is not None:
            # Canonical is one more editor of a base that it left behind.
            changes.insert(0, Change(CANONICAL, left.base, canonical))
        sides = [(e.label, variant_of(e.side), variant_of(e.base)) for e in changes]
        conflict, _ = self._run.conflict(
            place.path, Kind.SEMANTIC, sides[0][2], sides, identity=place.identity, finding=finding
        )
        return conflict, changes

    def _chosen(
        self, settled: Settled, shape: Element, within: Element, column: int
    ) -> tuple[str, object]:
        """The lines that a decision puts at `column`, and the data that they have to read as.

        A typed value gets the key, or the dash, of `shape`; `within` is of the text written to.
        """
        if settled.resolution.text is not None:
            typed = in_lines(settled.resolution.text)
            if shape.value is not None:
                refuse_unknown_aliases(typed, anchors_in(within.source.text))
            slot = entry_of(typed, shape, column)
            margin = _margin(shape, column)
            lines = "".join(str(piece) for piece in (*slot.lead, margin, *slot.body))
            return lines, json_value(fragment(typed))
        assert settled.to is not None  # noqa: S101 - a deletion writes nothing
        return full_lines(settled.to, column), json_value(settled.to.value)

    def _lost(self, settled: Settled, root: Element) -> _New | None:
        """The entry that the text of `root` lacks at a place; None where it has no room for it."""
        steps = settled.place.steps
        around = self._places.trail(settled.place._replace(steps=steps[:-1]), root)
        mine = None if around is None else self._run.elements(around[-1])
        trails = (self._places.trail(settled.place, each) for each in self._distinct)
        home = next((each for each in trails if each is not None), None)
        if around is None or mine is None or home is None:
            return None
        shape, theirs = home[-1], self._run.elements(home[-2])
        gap = None
        if shape.key is not None and theirs is not None:
            gap = gap_for(shape, theirs, mine)
        if gap is None or shape.key is None:
            return None
        position = (*_positions(self._run, around), shape.key.value)
        return _New(around[-1], shape, gap, position, "")

    def _deletions(
        self, gone: Sequence[tuple[Element, Element]], new: Counter[Element]
    ) -> list[_Edit]:
        """Entries that go; a collection that would lose its last one is written as empty."""
        counted = Counter(parent for parent, _ in gone)
        edits: dict[Element, _Edit] = {}
        for parent, element in gone:
            elements = self._run.elements(parent)
            if elements is None or counted[parent] < len(elements.entries) + new[parent]:
                edits[element] = _Edit(element, None)
                continue
            empty = "{}" if parent.value is not None and parent.value.kind == MAPPING else "[]"
            slot = entry_of(empty, parent, parent.column)
            pieces = (*slot.lead, _margin(parent, parent.column), *slot.body)
            edits[parent] = _Edit(parent, "".join(str(piece) for piece in pieces))
        return list(edits.values())

    def _check(
        self, text: str, rewrite: Rewrite, before: Node | None, settled: Sequence[Settled]
    ) -> None:
        """Law 5, for what was written here."""
        source = Source(LABEL, text)
        documents = self._reader.read(source)
        versions = [each.source for each in self._distinct]
        if (
            len(documents) != 1
            or not rewrite.holds(before, documents[0].root)
            or (source.aliases and any(dangling_aliases(documents[0])))
            or repeated_anchor(source, versions) is not None
        ):
            raise self._unwritable(settled[0])

    def _unwritable(self, settled: Settled) -> Unreadable:
        where = settled.conflict.path or "the root"
        what = f"what was decided of {where} does not fit there"
        return Unreadable(LABEL, 1, 1, what, "give another value")


def _taken(resolution: Resolution, changes: Sequence[Change]) -> Element | None:
    if resolution.take == "base":
        return changes[0].base
    return next((each.side for each in changes if each.label == resolution.take), None)


def _margin(element: Element, column: int) -> str:
    return "" if element.rooted or element.inline else " " * column


def _positions(run: Run, trail: Sequence[Element]) -> tuple[str, ...]:
    """Keys and indices on the way to the last of `trail`."""
    at: list[str] = []
    for parent, element in pairwise(trail):
        key = element.key
        elements = run.elements(parent)
        index = 0 if elements is None else elements.entries.index(element)
        at.append(str(index) if key is None else key.value)
    return tuple(at)
