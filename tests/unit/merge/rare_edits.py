"""Edits of what few documents have: anchors, questions, flow over lines, and layout as a whole."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.unit.merge.declarations import GROWING
from tests.unit.merge.documents import (
    MIXED,
    Document,
    Entry,
    Items,
    Scalar,
    at_entry,
    at_items,
    below,
    in_flow,
    walk,
    written,
)
from tests.unit.merge.drawing import Drawing
from tests.unit.merge.leaves import IDENTITIES

Place = tuple[Items, Entry, bool]
"""A collection, an entry of it, and whether that stands in a flow."""

_NAME = re.compile(r"([&*])(a\d+)\b")
_NEWLINES = ("\n", "\r\n", MIXED)


def dangling(document: Document) -> bool:
    """Whether an alias has no anchor before it in its document, or stands inside of that."""
    for page in document.pages:
        for _, entry, _ in walk(page.root):
            own, value = _own(entry), entry.value
            if isinstance(value, Items) and "&a" in own:
                inside = _NAME.findall(in_flow(value).removeprefix(own))
                if any(f"&{name}" in own for sign, name in inside if sign == "*"):
                    return True
        anchors: set[str] = set()
        for sign, name in _NAME.findall("\n".join(written(page.root, 0))):
            if sign == "&":
                anchors.add(name)
            elif name not in anchors:
                return True
    return False


def names_anchor(entry: Entry) -> bool:
    """Whether an entry's own value has an anchor."""
    return "&a" in _own(entry)


def _own(entry: Entry) -> str:
    value = entry.value
    if isinstance(value, Scalar):
        return value.source
    return value.properties if isinstance(value, Items) else ""


def anchor_name(drawing: Drawing, document: Document, place: Place) -> Document:
    """Another name for an anchor and all its aliases."""
    old = next(name for sign, name in _NAME.findall(_own(place[1])) if sign == "&")
    new = f"a{drawing.number()}"

    def named(text: str) -> str:
        return _NAME.sub(lambda found: found[1] + (new if found[2] == old else found[2]), text)

    def inside(items: Items) -> Items:
        return replace(
            items,
            properties=named(items.properties),
            entries=tuple(renamed(entry) for entry in items.entries),
        )

    def renamed(entry: Entry) -> Entry:
        value = entry.value
        if isinstance(value, Scalar):
            value = Scalar(named(value.source))
        elif isinstance(value, Items):
            value = inside(value)
        key = None if entry.key is None else named(entry.key)
        return replace(entry, key=key, value=value)

    pages = tuple(replace(page, root=inside(page.root)) for page in document.pages)
    return replace(document, pages=pages)


def alias(drawing: Drawing, document: Document, place: Place) -> Document:
    """An alias in the place of a value, where the document has an anchor."""
    names = [name for sign, name in _NAME.findall(document.text) if sign == "&"]
    if not names:
        return document
    value = Scalar(f"*{drawing.one_of(names)}")
    return at_entry(document, place[1].uid, lambda e: (replace(e, value=value),))


def ask(drawing: Drawing, document: Document, place: Place) -> Document:
    """A key behind a question mark, or no longer so."""
    entry = place[1]
    asked = None if entry.question is not None else ""
    if asked is None and "\n" in (entry.key or ""):
        return document
    return at_entry(document, entry.uid, lambda e: (replace(e, question=asked),))


def double(drawing: Drawing, document: Document, place: Place) -> Document:
    """Now and then a key a second time, which YAML forbids and people write."""
    entry = place[1]
    if not drawing.chance(3):
        return document
    # A key that goes on over lines is one behind a question mark alone.
    asked = None if entry.question is None else ""
    again = Entry(drawing.number(), entry.key, drawing.scalar(), question=asked)
    return at_entry(document, entry.uid, lambda e: (e, again))


def spread(drawing: Drawing, document: Document, place: Place) -> Document:
    """A flow collection over several lines, with a comment where it has room for one."""
    items = place[1].value
    assert isinstance(items, Items)
    at = drawing.pick(len(items.entries) + 1)
    inner = list(items.entries)
    if at < len(inner):
        inner[at] = replace(inner[at], trailing=drawing.trailing())
    found = replace(items, entries=tuple(inner), spread=True)
    return at_items(document, place[1].uid, lambda _: found)


def transfer(drawing: Drawing, document: Document, place: Place) -> Document:
    """An entry out of its collection and into another one of the same kind, if there is one."""
    items, entry, _ = place
    page = next(each for each in document.pages if entry in [e for _, e, _ in walk(each.root)])
    within = below(entry)
    homes = [
        each.uid
        for _, each, _ in walk(page.root)
        if isinstance(each.value, Items)
        and each.uid not in within
        and entry not in each.value.entries
        and (each.value.mapping, each.value.identity) == (items.mapping, items.identity)
    ]
    if not homes:
        return document
    home = drawing.one_of(homes)
    without = at_entry(document, entry.uid, lambda _: ())
    return at_items(without, home, lambda i: replace(i, entries=(*i.entries, entry)))


def can_transfer(place: Place) -> bool:
    """Whether an entry may stand in another collection: it has a value and identifies nothing."""
    return place[1].value is not None and place[1].key not in {"<<", *IDENTITIES}


def relaid(drawing: Drawing, document: Document) -> tuple[str, Document]:
    """Another layout of the whole text, and which: ends of lines, the mark, the last newline."""
    what = drawing.one_of(("line ends", "mark", "last newline"))
    if what == "mark":
        return what, replace(document, mark="" if document.mark else "\ufeff")
    if what == "last newline":
        return what, replace(document, final_newline=not document.final_newline)
    others = [each for each in _NEWLINES if each != document.newline]
    return what, replace(document, newline=drawing.one_of(others))


def has_key(place: Place) -> bool:
    """Whether an entry stands in a block mapping under a key of its own."""
    items, entry, flow = place
    key = entry.key
    return not (items.flow or flow or key is None or entry.value is None or key == "<<")


def grown(drawing: Drawing, entry: Entry) -> Scalar | None:
    """Now and then another number, version or date in the place of one."""
    source = entry.value.source if isinstance(entry.value, Scalar) else ""
    for name, form in GROWING.items():
        if form.fullmatch(source) and drawing.chance(2):
            n = drawing.number()
            forms = {"int": f"{n}", "semver": f"1.{n}.0", "date": f"2026-01-{n % 28 + 1:02}"}
            return Scalar(forms[name])
    return None
