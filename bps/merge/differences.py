"""Where two texts differ in their data, leaf by leaf. For people; decides nothing.

Elements of lists are known again as the merge knows them: by their identity field, else by what
they are. deepdiff pairs by place or, ignoring order, at a quadratic cost, and names neither.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from bps.merge.identity import FIELDS
from bps.merge.lcs import matches
from bps.merge.newlines import plain
from bps.merge.parse import Document
from bps.merge.reader import Reader
from bps.merge.source import MAPPING, SCALAR, SEQUENCE, Node, Source

Path = tuple[str, ...]


class Difference(NamedTuple):
    """One leaf, or a node whose kind changed. None where a text lacks it.

    `path` counts list elements in the text after (before, where it was deleted), `at` in the one
    before (after, where it was added), both as escaped pointer segments. `place` names elements by
    identity, so that it means the same in other versions.
    """

    path: Path
    at: Path
    place: tuple[Hashable, ...]
    before: Node | None
    after: Node | None


class _Place(NamedTuple):
    path: Path
    at: Path
    place: tuple[Hashable, ...]

    def below(self, path: str, at: str, step: Hashable) -> _Place:
        return _Place((*self.path, path), (*self.at, at), (*self.place, step))


_Pair = tuple[_Place, Node | None, Node | None]


class Versions:
    """Versions of one text, each read once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read: dict[str, list[Document]] = {}

    def differences(self, before: str, after: str) -> list[Difference]:
        """All leaves in which two texts differ, in the order of the text after.

        Raises:
            Unreadable: one of them is not YAML.

        Cost: reading (`bps.merge.reader`), and an alignment of each list that changed.
        """
        if before == after:
            return []
        old, new = self._roots(before), self._roots(after)
        place = _Place((), (), ())
        if len(old) == len(new) == 1:
            return list(_differences(place, old[0], new[0]))
        found: list[Difference] = []
        for index in range(max(len(old), len(new))):
            step = f"#{index}"
            one = old[index] if index < len(old) else None
            other = new[index] if index < len(new) else None
            found += _differences(place.below(step, step, step), one, other)
        return found

    def _roots(self, text: str) -> list[Node | None]:
        found = self._read.get(text)
        if found is None:
            source = Source("the text", plain(text, crlf=True))
            found = self._read[text] = self._reader.read(source)
        return [document.root for document in found]


def escaped(text: str) -> str:
    """A key as a segment of a JSON Pointer (RFC 6901)."""
    return text.replace("~", "~0").replace("/", "~1")


def _differences(place: _Place, before: Node | None, after: Node | None) -> Iterator[Difference]:
    if before is None or after is None:
        yield from _leaves(place, before, after)
    elif before.model is after.model or before.text == after.text:
        return
    elif _comparable(before, after):
        pairs = _members if before.kind == MAPPING else _items
        for at, old, new in pairs(place, before, after):
            yield from _differences(at, old, new)
    elif before.data != after.data:
        yield Difference(*place, before, after)


def _comparable(before: Node, after: Node) -> bool:
    """Whether both are collections that can be compared part by part."""
    return (
        before.kind == after.kind
        and before.kind in {MAPPING, SEQUENCE}
        and (before.tag, before.anchor) == (after.tag, after.anchor)
        and bool(before.children)
        and bool(after.children)
        and (before.kind == SEQUENCE or (_unique(before) and _unique(after)))
    )


def _leaves(place: _Place, before: Node | None, after: Node | None) -> Iterator[Difference]:
    """What was added or deleted as a whole; one of the two is None."""
    node = before or after
    if node is None:
        return
    if node.kind not in {MAPPING, SEQUENCE} or not node.children:
        yield Difference(*place, before, after)
        return
    members: Sequence[tuple[str, Hashable, Node]]
    if node.kind == MAPPING:
        members = [(_segment(key), key.data, value) for key, value in node.pairs()]
    else:
        members = [(str(i), _added(child), child) for i, child in enumerate(node.children)]
    for segment, step, child in members:
        below = place.below(segment, segment, step)
        yield from _leaves(below, child if before else None, child if after else None)


def _members(place: _Place, before: Node, after: Node) -> Iterator[_Pair]:
    """The values of two mappings by key."""
    old = {key.data: (key, value) for key, value in before.pairs()}
    for key, value in after.pairs():
        segment = _segment(key)
        yield place.below(segment, segment, key.data), old.pop(key.data, (key, None))[1], value
    for data, (key, value) in old.items():
        segment = _segment(key)
        yield place.below(segment, segment, data), value, None


def _items(place: _Place, before: Node, after: Node) -> Iterator[_Pair]:
    """The elements of two lists: by their identity field, else aligned by what they are."""
    old, new = before.children, after.children
    field = next((f for f in FIELDS if _identities(old, f) and _identities(new, f)), None)
    if field is not None:
        yield from _keyed(place, _identities(old, field), _identities(new, field))
        return
    start = its_start = 0
    ends = (len(old), len(new))
    for i, j in [*matches([e.data for e in old], [e.data for e in new]), ends]:
        edited = min(i - start, j - its_start)
        for step in range(edited):
            at = start + step
            below = place.below(str(its_start + step), str(at), at)
            yield below, old[at], new[its_start + step]
        for at in range(start + edited, i):
            yield place.below(str(at), str(at), at), old[at], None
        for at in range(its_start + edited, j):
            yield place.below(str(at), str(at), _added(new[at])), None, new[at]
        start, its_start = i + 1, j + 1


_Identities = dict[Hashable, tuple[int, Node]]


def _keyed(place: _Place, old: _Identities, new: _Identities) -> Iterator[_Pair]:
    for ident, (index, node) in new.items():
        found = old.get(ident)
        at = index if found is None else found[0]
        yield place.below(str(index), str(at), ident), None if found is None else found[1], node
    for ident, (index, node) in old.items():
        if ident not in new:
            yield place.below(str(index), str(index), ident), node, None


def _identities(items: Sequence[Node], field: str) -> _Identities:
    """Elements by their field; empty where one lacks it or two have the same."""
    found: _Identities = {}
    for index, item in enumerate(items):
        value = next(
            (
                value
                for key, value in (item.model.pairs() if item.kind == MAPPING else ())
                if key.kind == SCALAR and key.value == field and value.kind == SCALAR
            ),
            None,
        )
        if value is None or ("identity", value.data) in found:
            return {}
        found["identity", value.data] = (index, item)
    return found


def _unique(node: Node) -> bool:
    keys = [key.data for key, _ in node.pairs()]
    return len(set(keys)) == len(keys)


def _added(node: Node) -> Hashable:
    """The place of an element that another version does not have: what it is."""
    return ("added", node.data)


def _segment(key: Node) -> str:
    return escaped(key.value if key.kind == SCALAR else key.text)
