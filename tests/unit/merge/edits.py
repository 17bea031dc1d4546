"""Edits of a document's model, each with its meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple

from tests.unit.merge import rare_edits
from tests.unit.merge.documents import (
    Block,
    Document,
    Entry,
    Items,
    Scalar,
    at_entry,
    at_items,
    entries,
)
from tests.unit.merge.drawing import Drawing
from tests.unit.merge.leaves import HEADERS, IDENTITIES
from tests.unit.merge.rare_edits import Place


class Edit(NamedTuple):
    """What was done, to the entry `uid`, or to the collection that it holds."""

    kind: str
    uid: int


class Edited(NamedTuple):
    """A version of a document and how it came about."""

    document: Document
    edits: tuple[Edit, ...]


_RELAID_ONE_IN = 16


def edited(
    drawing: Drawing, base: Document, most: int = 4, only: Collection[int] | None = None
) -> Edited:
    """A version of a document after some edits, of the entries `only` where they are given."""
    document = base
    done: list[Edit] = []
    for _ in range(1 + drawing.pick(most)):
        places = [place for place in entries(document) if only is None or place[1].uid in only]
        if not places:
            break
        place = drawing.one_of(places)
        possible = [name for name, fits in _FITS.items() if fits(place)]
        if only is not None:
            possible = [name for name in possible if name in _WITHIN]
        kind = drawing.one_of(possible or ["value"])
        after = _EDITS[kind](drawing, document, place)
        if after != document and not rare_edits.dangling(after):
            document = after
            done.append(Edit(kind, place[1].uid))
    if only is None and drawing.chance(_RELAID_ONE_IN):
        kind, document = rare_edits.relaid(drawing, document)
        done.append(Edit(kind, 0))
    return Edited(document, tuple(done))


def _is_identity(place: Place) -> bool:
    return place[1].key in IDENTITIES


def _value(drawing: Drawing, document: Document, place: Place) -> Document:
    items, entry, flow = place
    if items.identity == "=" or _is_identity(place):
        value = Scalar(f"s{drawing.number()}")
        return at_entry(document, entry.uid, lambda e: (replace(e, value=value),))
    grown = rare_edits.grown(drawing, entry)
    if grown is not None:
        return at_entry(document, entry.uid, lambda e: (replace(e, value=grown),))
    fresh = drawing.scalar(flow=True) if flow else drawing.value(drawing.pick(2))
    if isinstance(fresh, Items) and not fresh.flow and entry.key is None and fresh.indent < 2:
        fresh = replace(fresh, indent=2)
    return at_entry(document, entry.uid, lambda e: (replace(e, value=fresh),))


def _delete(_: Drawing, document: Document, place: Place) -> Document:
    return at_entry(document, place[1].uid, lambda _: ())


def _new(drawing: Drawing, items: Items, *, flow: bool) -> list[Entry]:
    if flow:
        key = f"k{drawing.number()}" if items.mapping else None
        return [Entry(drawing.number(), key, drawing.scalar(flow=True))]
    if items.mapping:
        return drawing.entry(drawing.key(), 1)
    if items.identity == "=":
        n = drawing.number()
        return [Entry(n, None, Scalar(f"s{n}"))]
    if items.identity:
        return drawing.keyed(items.identity, 0)
    return drawing.entry(None, 1)


def _add(drawing: Drawing, document: Document, place: Place) -> Document:
    items, entry, flow = place
    new = _new(drawing, items, flow=flow)
    behind = drawing.chance(2)
    return at_entry(document, entry.uid, lambda e: (e, *new) if behind else (*new, e))


def _add_inside(drawing: Drawing, document: Document, place: Place) -> Document:
    inner = place[1].value
    assert isinstance(inner, Items)
    new = _new(drawing, inner, flow=place[2] or inner.flow)
    first = drawing.chance(2)
    return at_items(
        document,
        place[1].uid,
        lambda i: replace(i, entries=(*new, *i.entries) if first else (*i.entries, *new)),
    )


def _rename(drawing: Drawing, document: Document, place: Place) -> Document:
    key = f"renamed{drawing.number()}"
    return at_entry(document, place[1].uid, lambda e: (replace(e, key=key),))


def _move(drawing: Drawing, document: Document, place: Place) -> Document:
    items, entry, _ = place
    others = [each for each in items.entries if each.uid != entry.uid]
    behind = drawing.one_of(others)
    without = at_entry(document, entry.uid, lambda _: ())
    before = drawing.chance(3)
    return at_entry(without, behind.uid, lambda e: (entry, e) if before else (e, entry))


def _lead(drawing: Drawing, document: Document, place: Place) -> Document:
    entry = place[1]
    lead = list(entry.lead)
    at = drawing.pick(len(lead) + 1)
    if at < len(lead) and drawing.chance(3) and (len(lead) > 1 or entry.value is not None):
        del lead[at]
    elif at < len(lead) and drawing.chance(2):
        lead[at] = drawing.comment()
    else:
        lead.insert(at, drawing.comment())
    return at_entry(document, entry.uid, lambda e: (replace(e, lead=tuple(lead)),))


def _trailing(drawing: Drawing, document: Document, place: Place) -> Document:
    trailing = "" if place[1].trailing and drawing.chance(3) else drawing.trailing()
    return at_entry(document, place[1].uid, lambda e: (replace(e, trailing=trailing),))


def _alone(drawing: Drawing, document: Document, place: Place) -> Document:
    new = Entry(drawing.number(), None, None, lead=(drawing.comment(),), gap=1)
    return at_entry(document, place[1].uid, lambda e: (new, replace(e, gap=max(e.gap, 1))))


def _line(drawing: Drawing, document: Document, place: Place) -> Document:
    block = place[1].value
    assert isinstance(block, Block)
    lines = list(block.lines)
    at = drawing.pick(len(lines))
    how = drawing.pick(3)
    deep = at == 0 and any(each.isdigit() for each in block.header)
    fresh = f"{'  ' if deep else ''}do v{drawing.number()}"
    if how == 0:
        lines[at] = fresh
    elif how == 1:
        lines.insert(at + 1, fresh)
    elif len(lines) > 1 and at > 0:
        del lines[at]
    value = Block(block.header, tuple(lines))
    return at_entry(document, place[1].uid, lambda e: (replace(e, value=value),))


def _header(drawing: Drawing, document: Document, place: Place) -> Document:
    block = place[1].value
    assert isinstance(block, Block)
    plain = [each for each in HEADERS if not any(c.isdigit() for c in each)]
    value = Block(drawing.one_of(plain), block.lines)
    return at_entry(document, place[1].uid, lambda e: (replace(e, value=value),))


def _indent(drawing: Drawing, document: Document, place: Place) -> Document:
    dash = place[1].key is None
    inner = place[1].value
    assert isinstance(inner, Items)
    indents = (2, 4, 3) if dash or inner.mapping else (2, 0, 4, 3)
    indent = drawing.one_of(indents)
    return at_items(document, place[1].uid, lambda i: replace(i, indent=indent))


def _gap(drawing: Drawing, document: Document, place: Place) -> Document:
    gap = drawing.pick(3)
    return at_entry(document, place[1].uid, lambda e: (replace(e, gap=gap),))


def _quotes(drawing: Drawing, document: Document, place: Place) -> Document:
    scalar = place[1].value
    assert isinstance(scalar, Scalar)
    quote = drawing.one_of(QUOTES)
    value = Scalar(f"{quote}{scalar.source}{quote}")
    return at_entry(document, place[1].uid, lambda e: (replace(e, value=value),))


def _unfold(_: Drawing, document: Document, place: Place) -> Document:
    return at_items(document, place[1].uid, lambda i: replace(i, flow=False))


QUOTES = ('"', "'")
_WORD = re.compile(r"[esv]\d+")

_FITS: dict[str, Callable[[Place], bool]] = {
    "value": lambda p: p[1].value is not None and p[0].identity in {"", "="},
    "delete": lambda _: True,
    "add": lambda p: p[1].value is not None,
    "add inside": lambda p: isinstance(p[1].value, Items),
    "lead": lambda p: not p[2] or p[0].spread,
    "trailing": lambda p: (not p[2] or p[0].spread) and p[1].value is not None,
    "alone": lambda p: not p[2],
    "line": lambda p: isinstance(p[1].value, Block),
    "rename": lambda p: p[1].key is not None and p[1].value is not None and p[1].key != "<<",
    "move": lambda p: len(p[0].entries) > 1,
    "header": lambda p: (
        isinstance(p[1].value, Block) and p[1].value.lines[0][:1] not in {" ", "\t"}
    ),
    "indent": lambda p: isinstance(p[1].value, Items) and not p[1].value.flow and not p[2],
    "gap": lambda p: not p[2],
    "quotes": lambda p: (
        isinstance(p[1].value, Scalar) and _WORD.fullmatch(p[1].value.source) is not None
    ),
    "unfold": lambda p: isinstance(p[1].value, Items) and p[1].value.flow and not p[2],
    "spread": lambda p: isinstance(p[1].value, Items) and p[1].value.flow and not p[2],
    "ask": rare_edits.has_key,
    "double": lambda p: rare_edits.has_key(p) and p[1].key not in IDENTITIES,
    "alias": lambda p: rare_edits.has_key(p) and p[1].key not in IDENTITIES,
    "anchor name": lambda p: rare_edits.names_anchor(p[1]),
    "transfer": rare_edits.can_transfer,
}
_EDITS: dict[str, Callable[[Drawing, Document, Place], Document]] = {
    "value": _value,
    "delete": _delete,
    "add": _add,
    "add inside": _add_inside,
    "lead": _lead,
    "trailing": _trailing,
    "alone": _alone,
    "line": _line,
    "rename": _rename,
    "move": _move,
    "header": _header,
    "indent": _indent,
    "gap": _gap,
    "quotes": _quotes,
    "unfold": _unfold,
    "spread": rare_edits.spread,
    "ask": rare_edits.ask,
    "double": rare_edits.double,
    "alias": rare_edits.alias,
    "anchor name": rare_edits.anchor_name,
    "transfer": rare_edits.transfer,
}
_WITHIN = frozenset(_EDITS) - {
    "delete",
    "add",
    "alone",
    "move",
    "rename",
    "gap",
    "unfold",
    "header",
    "ask",
    "double",
    "alias",
    "anchor name",
    "transfer",
}
"""Edits that stay inside the entry that they name."""
