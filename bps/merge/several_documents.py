"""Several documents in one stream: merged one by one where they can be told apart."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Hashable, Sequence

from bps.merge.elements import Element, Elements
from bps.merge.identity import Identify
from bps.merge.keyed import Contradiction, Versions, merge_keyed
from bps.merge.ordered import merge_ordered
from bps.merge.records import CANONICAL
from bps.merge.results import Conflicting
from bps.merge.run import Change, Run
from bps.merge.slots import Slot
from bps.merge.source import MAPPING, SCALAR, Node
from bps.merge.strategies import EMPTY


def merge_several(
    run: Run, versions: Sequence[Sequence[Element]], labels: Sequence[str]
) -> list[Slot] | Conflicting | None:
    """Merge the documents of canonical, then of base and side of each label.

    They are known again by kind and name where all have those, by their namespace and apiVersion
    too where that is not enough, else as elements of an ordered list; their paths begin with `#n`,
    and no strategies are declared for them. None where the two sides contradict each other.
    """
    identities = (_in_one_namespace(versions), _named, _versioned)
    identify = next((each for each in identities if _unique(versions, each)), None)
    if identify is None:
        return _merge_in_order(run, versions, labels)
    keyed = [{identify(each): each for each in version} for version in versions]
    # Counted in canonical, or in the base where canonical has the document no more.
    index = {ident: str(i) for each in keyed[1::-1] for i, ident in enumerate(each)}
    try:
        return merge_keyed(
            run,
            (),
            EMPTY,
            Versions(keyed[0], list(zip(labels, keyed[1::2], keyed[2::2], strict=True))),
            0,
            ordered=True,
            segment=lambda ident, _: f"#{index.get(ident, '-')}",
            shown=lambda _: None,
        )
    except Contradiction:
        return None


def _merge_in_order(
    run: Run, versions: Sequence[Sequence[Element]], labels: Sequence[str]
) -> list[Slot] | Conflicting | None:
    parents: list[Element] = []
    for version in versions:
        first = next((each for each in parents if _is_parent(run, each, version)), None)
        parents.append(first or _parent(run, version))
    changes = [Change(*each) for each in zip(labels, parents[1::2], parents[2::2], strict=True)]
    if parents[0] is not parents[1]:
        changes.insert(0, Change(CANONICAL, parents[1], parents[0]))
    return merge_ordered(run, (), EMPTY, parents[0], changes, 0, union=False, alike=0.0, prefix="#")


def _parent(run: Run, documents: Sequence[Element]) -> Element:
    """A list of documents as an entry that has them as its elements."""
    first, last = documents[0], documents[-1]
    node = Node(first.source, MAPPING, first.start, last.end, None, None)
    parent = Element(first.source, 0, first.gap, first.lead, first.start, last.end, None, node)
    run.seed(parent, Elements(list(documents), ""))
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
