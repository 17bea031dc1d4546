"""Texts as the documents that they hold; most hold one."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.results import Conflicting
from bps.merge.run import Change, Run
from bps.merge.slots import Piece, Slot
from bps.merge.source import MAPPING, SEQUENCE, Document, Source
from bps.merge.strategies import Cursor


def document_element(document: Document) -> Element | None:
    """A document as an entry without key; None where it is empty."""
    root = document.root
    if root is None:
        return None
    source = document.source
    start, body = document.start, document.body
    begin = body if root.block else max(body, source.line_start(root.start))
    element = Element(source, 0, start, start, begin, document.body_end, None, root)
    element.rooted = True
    return element


def merge_documents(
    run: Run,
    cursor: Cursor,
    canonical: Sequence[Document],
    editors: Sequence[tuple[str, Sequence[Document], Sequence[Document]]],
) -> list[Slot] | Conflicting | None:
    """Merge the documents of all versions (label, base, side); None where one is empty.

    A single document in every version is merged at the root.
    """
    streams = [canonical, *(stream for _, base, side in editors for stream in (base, side))]
    streams = [_filled(stream, streams) for stream in streams]
    # One document is one element, so that canonical is recognised where it is also a base.
    known: dict[int, Element | None] = {}
    for stream in streams:
        for each in stream:
            known.setdefault(id(each), document_element(each))
    elements = [[known[id(each)] for each in stream] for stream in streams]
    if any(each is None for stream in elements for each in stream):
        return None
    versions = [[each for each in stream if each is not None] for stream in elements]
    if all(len(version) == 1 for version in versions):
        if _comments_behind_a_root(versions):
            return None
        changes = [
            Change(label, versions[2 * i + 1][0], versions[2 * i + 2][0])
            for i, (label, _, _) in enumerate(editors)
        ]
        slots: list[Slot] = run.merge_entry(run, (), cursor, versions[0][0], changes, 0)
        return slots
    from bps.merge.several_documents import merge_several  # noqa: PLC0415 - streams are rare

    return merge_several(run, versions, [label for label, _, _ in editors])


def in_stream(slots: Sequence[Slot]) -> list[Piece]:
    """The documents one after the other, each but the first behind a line of `---`."""
    pieces: list[Piece] = []
    for index, slot in enumerate(slots):
        lead = slot.lead
        marked = any("---" in each for each in lead if isinstance(each, str))
        if index and not slot.whole and not marked:
            lead = ("---\n", *lead)
        last = pieces[-1] if pieces else "\n"
        if isinstance(last, str) and not last.endswith("\n"):
            pieces.append("\n")
        pieces += [piece for piece in (slot.gap, *lead, *slot.body) if piece != ""]
    return pieces


def _filled(stream: Sequence[Document], streams: Sequence[Sequence[Document]]) -> list[Document]:
    """An empty text beside mappings, or beside lists, is the empty one of them."""
    if len(stream) != 1 or stream[0].root is not None or stream[0].source.text.strip():
        return list(stream)
    roots = {each.root.kind for other in streams for each in other if each.root is not None}
    if roots not in ({MAPPING}, {SEQUENCE}):
        return list(stream)
    from bps.merge.parse import parse  # noqa: PLC0415 - as in `bps.merge.reader`

    return parse(Source(stream[0].source.label, "{}\n" if roots == {MAPPING} else "[]\n"))


def _comments_behind_a_root(versions: Sequence[Sequence[Element]]) -> bool:
    """Whether versions differ in comments behind a root that has no lines of its own.

    Such comments belong to no entry; with equal ones, or one editor, nothing gets lost. In a block
    they are entries of their own, so that none is behind it.
    """
    tails = set()
    for (element,) in versions:
        value = element.value
        if value is not None and value.block:
            tails.add("")
        elif value is not None:
            tails.add(element.source.text[element.source.line_end(value.end) : element.end])
    return len(tails) > 1 and any("#" in tail for tail in tails)
