"""Documents of a stream: merged one by one where they can be told apart."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Hashable, Sequence

from bps.merge.elements import Element, Elements
from bps.merge.identity import Identify
from bps.merge.records import CANONICAL
from bps.merge.results import Conflicting
from bps.merge.run import Change, Run
from bps.merge.slots import Piece, Slot
from bps.merge.source import MAPPING, SCALAR, SEQUENCE, Document, Node, Source
from bps.merge.strategies import EMPTY, Cursor


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

    A single document in every version is merged at the root. Several are known again by kind and
    name where all have those, by their namespace and apiVersion too where that is not enough, else
    as elements of an ordered list; their paths begin with `#n`, and no strategies are declared for
    them.
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
    identities = (_in_one_namespace(versions), _named, _versioned)
    identify = next((each for each in identities if _unique(versions, each)), None)
    if identify is not None:
        from bps.merge.keyed import (  # noqa: PLC0415 - streams of several are rare
            Contradiction,
            Versions,
            merge_keyed,
        )

        keyed = [{identify(each): each for each in version} for version in versions]
        # Counted in canonical, or in the base where canonical has the document no more.
        index = {ident: str(i) for each in keyed[1::-1] for i, ident in enumerate(each)}
        try:
            return merge_keyed(
                run,
                (),
                EMPTY,
                Versions(
                    keyed[0],
                    [
                        (label, keyed[2 * i + 1], keyed[2 * i + 2])
                        for i, (label, _, _) in enumerate(editors)
                    ],
                ),
                0,
                ordered=True,
                segment=lambda ident, _: f"#{index.get(ident, '-')}",
                shown=lambda _: None,
            )
        except Contradiction:
            return None
    parents: list[Element] = []
    for version in versions:
        first = next((each for each in parents if _is_parent(run, each, version)), None)
        parents.append(first or _parent(run, version))
    changes = [
        Change(label, parents[2 * i + 1], parents[2 * i + 2])
        for i, (label, _, _) in enumerate(editors)
    ]
    if parents[0] is not parents[1]:
        changes.insert(0, Change(CANONICAL, parents[1], parents[0]))
    from bps.merge.ordered import merge_ordered  # noqa: PLC0415 - streams of several are rare

    return merge_ordered(run, (), EMPTY, parents[0], changes, 0, union=False, alike=0.0, prefix="#")


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


def _parent(run: Run, documents: list[Element]) -> Element:
    """A list of documents as an entry that has them as its elements."""
    first, last = documents[0], documents[-1]
    node = Node(first.source, MAPPING, first.start, last.end, None, None)
    parent = Element(first.source, 0, first.gap, first.lead, first.start, last.end, None, node)
    run.seed(parent, Elements(documents, ""))
    return parent


def _is_parent(run: Run, parent: Element, documents: Sequence[Element]) -> bool:
    elements = run.elements(parent)
    mine = [] if elements is None else elements.items
    return len(mine) == len(documents) and all(map(operator.is_, mine, documents))


def _unique(versions: Sequence[Sequence[Element]], identify: Identify) -> bool:
    """Whether every document has an identity, and no two of one version the same."""
    for version in versions:
        identities = {identify(each) for each in version}
        if None in identities or len(identities) < len(version):
            return False
    return True


def _named(element: Element) -> Hashable:
    """Kind, name and namespace of a Kubernetes object."""
    kind_and_name = _object(element)
    metadata = _member(element.value, "metadata")
    return kind_and_name and (*kind_and_name, _text(_member(metadata, "namespace")))


def _object(element: Element) -> tuple[str, str] | None:
    """Kind and name of a Kubernetes object."""
    kind = _text(_member(element.value, "kind"))
    name = _text(_member(_member(element.value, "metadata"), "name"))
    return None if kind is None or name is None else (kind, name)


def _in_one_namespace(versions: Sequence[Sequence[Element]]) -> Identify:
    """As `_named`, without the namespace where kind and name tell it: that is a field to edit then.

    They tell a document that every base has and no version has twice. Added ones keep their
    namespace: two sides may add objects of one name to two.
    """
    counts = [Counter(map(_object, version)) for version in versions]
    bases = counts[1::2]

    def identify(element: Element) -> Hashable:
        found = _object(element)
        known = all(found in each for each in bases) and all(each[found] <= 1 for each in counts)
        return found if known else _named(element)

    return identify


def _versioned(element: Element) -> Hashable:
    """With its apiVersion, for objects of several API groups that are named alike."""
    named = _named(element)
    return named and (_text(_member(element.value, "apiVersion")), named)


def _member(node: Node | None, key: str) -> Node | None:
    if node is None or node.kind != MAPPING:
        return None
    return next((value for name, value in node.pairs() if name.value == key), None)


def _text(node: Node | None) -> str | None:
    return node.value if node is not None and node.kind == SCALAR else None
