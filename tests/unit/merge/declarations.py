"""Strategies drawn for the places of a document, fitting and now and then not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.unit.merge.documents import Block, Document, Entry, Items, Scalar
from tests.unit.merge.leaves import IDENTITIES, Leaves, Pick

_UNQUOTED = re.compile(r"""["']?(.*?)["']?""", re.DOTALL)
GROWING = {
    "int": re.compile(r"\d+"),
    "semver": re.compile(r"1\.\d+\.0"),
    "date": re.compile(r"2026-01-\d\d"),
}
"""Scalars that `max` compares."""


def placed(document: Document) -> Iterator[tuple[str, Items, Entry]]:
    """The entries of a single document with their pattern, in which elements are `*`."""

    def descend(items: Items, path: str) -> Iterator[tuple[str, Items, Entry]]:
        for entry in items.entries:
            if entry.value is None or entry.question is not None:
                continue
            segment = "*" if entry.key is None else _segment(entry.key)
            place = f"{path}/{segment}"
            yield place, items, entry
            if isinstance(entry.value, Items):
                yield from descend(entry.value, place)

    if len(document.pages) == 1:
        yield from descend(document.pages[0].root, "")


def _segment(key: str) -> str:
    found = _UNQUOTED.fullmatch(key)
    assert found is not None
    return found[1].replace("~", "~0").replace("/", "~1")


def declared(pick: Pick, document: Document) -> dict[str, str]:
    """Strategies for some of a document's places."""
    drawing = Leaves(pick)
    found: dict[str, str] = {}
    for place, items, entry in placed(document):
        if entry.key in {*IDENTITIES, "<<"} or items.identity == "=" or not drawing.chance(2):
            continue
        found[place] = drawing.one_of(_fitting(entry))
    return found


def _fitting(entry: Entry) -> tuple[str, ...]:
    value = entry.value
    if isinstance(value, Block):
        return ("text", "atomic")
    if isinstance(value, Scalar):
        own = [f"max: {name}" for name, form in GROWING.items() if form.fullmatch(value.source)]
        return (*own, "atomic", "max: semver")
    if isinstance(value, Items) and not value.mapping:
        if value.identity == "=":
            return ("set", "ordered", "atomic", "set")
        keyed = f"keyed: [{value.identity}]" if value.identity else "keyed: [id]"
        return (keyed, keyed, "ordered", "atomic")
    return ("atomic",)


def outgrown(document: Document, strategies: dict[str, str]) -> Iterator[str]:
    """The sources of scalars for which the greatest is declared: a lesser one goes unsaid."""
    for place, _, entry in placed(document):
        if strategies.get(place, "").startswith("max") and isinstance(entry.value, Scalar):
            yield entry.value.source
