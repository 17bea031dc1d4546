"""A place of a text, found again in every version that the text was merged from.

A step is a key, or the identity of a list's element; so a place is the same whatever its index is
in this version or that. A list whose elements nothing identifies is a place as a whole, and so is
what has no lines of its own. A mapping's entry is one also where the text that is read has lost it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from bps.merge.elements import Element, Elements
from bps.merge.identity import (
    by_key,
    escaped,
    identity_of,
    identity_shown,
    key_of,
    undeclared_fields,
)
from bps.merge.reader import Reader
from bps.merge.run import Path, Run
from bps.merge.source import MAPPING, Source
from bps.merge.streams import document_element


class Step(NamedTuple):
    """Into a mapping's entry by its key, or into a list's element by the values of `fields`."""

    fields: tuple[str, ...]
    data: Hashable

    @classmethod
    def to(cls, element: Element, fields: tuple[str, ...]) -> Step:
        """The step that leads to `element`; `data` is None where nothing identifies it."""
        return cls(fields, by_key(element) if element.key else identity_of(element, fields))


class Place(NamedTuple):
    """`lead` is what the text that is read has there, if anything, `versions` what they have.

    `path` are the segments of its JSON Pointer; an index counts in the first version that has the
    element. `identity` names the nearest list's element by its key fields.
    """

    steps: tuple[Step, ...]
    path: Path
    lead: Element | None
    versions: tuple[Element | None, ...]
    identity: dict[str, Any] | None = None

    def within(self, other: Place) -> bool:
        """Whether it is `other`, or a part of it."""
        return self.steps[: len(other.steps)] == other.steps


def root_of(reader: Reader, label: str, text: str) -> Element | None:
    """The one document of a text; None where it is empty. Raises Unreadable."""
    documents = reader.read(Source(label, text))
    return document_element(documents[0]) if len(documents) == 1 else None


class Places:
    """Finds places in the versions whose roots are `versions`; what it learns of a list is kept."""

    def __init__(self, run: Run, versions: Sequence[Element | None]) -> None:
        self._run = run
        self._versions = tuple(versions)
        self._fields: dict[tuple[Step, ...], tuple[str, ...]] = {}
        self._entries: dict[tuple[Elements, tuple[str, ...]], dict[Step, Element]] = {}

    def nearest(self, pointer: str, lead: Element) -> Place:
        """The deepest place on the way to `pointer`, which is read in the text of root `lead`.

        Cost: at first sight one look at each element of each list passed, in each version.
        """
        here = Place((), (), lead, self._versions)
        for token in pointer.split("/")[1:]:
            deeper = None if here.lead is None else self._deeper(here, here.lead, token)
            if deeper is None:
                break
            here = deeper
        return here

    def trail(self, place: Place, root: Element) -> list[Element] | None:
        """What another text has on the way to `place`, its root first; None where it lacks it."""
        trail = [root]
        for step in place.steps:
            elements = _parts(self._run, trail[-1])
            found = None if elements is None else self._entry(elements, step)
            if found is None:
                return None
            trail.append(found)
        return trail

    def _deeper(self, here: Place, within: Element, token: str) -> Place | None:
        """The place one step on; None where it is told apart in no version, or not in all."""
        mine = _parts(self._run, within)
        theirs = [None if each is None else _parts(self._run, each) for each in here.versions]
        pairs = list(zip(here.versions, theirs, strict=True))
        if mine is None or any(each is not None and parts is None for each, parts in pairs):
            return None
        kinds = {each.value.kind for each in (within, *here.versions) if each and each.value}
        if len(kinds) != 1:
            return None
        fields: tuple[str, ...] = ()
        if kinds == {MAPPING}:
            lead = _named(mine, token)
            known = lead or next((e for e in (_named(p, token) for p in theirs if p) if e), None)
        else:
            if here.steps not in self._fields:
                lists = [parts.entries for parts in theirs if parts is not None]
                self._fields[here.steps] = undeclared_fields(lists)
            fields = self._fields[here.steps]
            listed = bool(fields) and token.isdecimal() and int(token) < len(mine.entries)
            known = lead = mine.entries[int(token)] if listed else None
        if known is None or (step := Step.to(known, fields)).data is None:
            return None
        versions = [None if parts is None else self._entry(parts, step) for parts in theirs]
        present = [each for each in versions if each is not None]
        # What begins on its parent's line cannot be written apart from it.
        if not present or any(each.inline for each in (known, *present)):
            return None
        path = (*here.path, _index(theirs, versions) if fields else token)
        identity = identity_shown(known, fields) if fields else here.identity
        return Place((*here.steps, step), path, lead, tuple(versions), identity)

    def _entry(self, elements: Elements, step: Step) -> Element | None:
        kept = self._entries.get((elements, step.fields))
        if kept is None:
            kept = {Step.to(each, step.fields): each for each in reversed(elements.entries)}
            self._entries[elements, step.fields] = kept
        return kept.get(step)


def _index(lists: Sequence[Elements | None], elements: Sequence[Element | None]) -> str:
    """Where the first version that has the element has it."""
    return next(
        str(parts.entries.index(each))
        for parts, each in zip(lists, elements, strict=True)
        if parts is not None and each is not None
    )


def _named(elements: Elements, token: str) -> Element | None:
    return next((each for each in elements.entries if escaped(key_of(each)) == token), None)


def _parts(run: Run, element: Element) -> Elements | None:
    """The entries of a block collection; None where it is none, or cannot be taken apart."""
    value = element.value
    return run.elements(element) if value is not None and value.block else None
