"""Where two texts differ in their data, leaf by leaf. For people; decides nothing.

deepdiff pairs the elements of lists by place or, ignoring order, at a quadratic cost, and names
neither; here `bps.merge.counterparts` knows them again as the merge does.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from bps.merge.counterparts import Counterparts, Pair, added, holds_entries
from bps.merge.newlines import plain
from bps.merge.reader import Reader
from bps.merge.source import MAPPING, SCALAR, SEQUENCE, Document, Node, Source

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


class Versions:
    """Versions of one text, each read once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read: dict[str, list[Document]] = {}
        self._counterparts = Counterparts()

    def differences(self, before: str, after: str) -> list[Difference]:
        """All leaves in which two texts differ, in the order of the text after.

        Raises:
            Unreadable: one of them is not YAML.

        Cost: reading what `reader` has not read (`bps.merge.reader`), and comparing the entries
        that differ (`bps.merge.counterparts`).
        """
        if before == after:
            return []
        old, new = self._roots(before), self._roots(after)
        place = _Place((), (), ())
        if len(old) == len(new) == 1:
            return list(self._differences(place, old[0], new[0]))
        found: list[Difference] = []
        for index in range(max(len(old), len(new))):
            step = f"#{index}"
            one = old[index] if index < len(old) else None
            other = new[index] if index < len(new) else None
            found += self._differences(place.below(step, step, step), one, other)
        return found

    def _roots(self, text: str) -> list[Node | None]:
        found = self._read.get(text)
        if found is None:
            stripped = plain(text, crlf=True)
            found = self._reader.known(stripped)
            if found is None:
                found = self._reader.read(Source("the text", stripped))
            self._read[text] = found
        return [document.root for document in found]

    def _differences(
        self, place: _Place, before: Node | None, after: Node | None
    ) -> Iterator[Difference]:
        if before is None or after is None:
            yield from _leaves(place, before, after)
        elif before.model is after.model or before.text == after.text:
            return
        elif (pairs := self._pairs(before, after)) is not None:
            for pair in pairs:
                old = None if pair.before is None else pair.before.value
                new = None if pair.after is None else pair.after.value
                yield from self._differences(_below(place, pair), old, new)
        elif before.data != after.data:
            yield Difference(*place, before, after)

    def _pairs(self, before: Node, after: Node) -> list[Pair] | None:
        """The entries that differ; None where the two are no collections to be compared so."""
        if (
            before.kind != after.kind
            or (before.tag, before.anchor) != (after.tag, after.anchor)
            or not holds_entries(before)
            or not holds_entries(after)
        ):
            return None
        if before.kind == MAPPING:
            return self._counterparts.members(before, after)
        return self._counterparts.items(before, after)


def escaped(text: str) -> str:
    """A key as a segment of a JSON Pointer (RFC 6901)."""
    return text.replace("~", "~0").replace("/", "~1")


def _below(place: _Place, pair: Pair) -> _Place:
    if pair.key is not None:
        segment = _segment(pair.key)
        return place.below(segment, segment, pair.step)
    at = pair.to if pair.at is None else pair.at
    to = pair.at if pair.to is None else pair.to
    return place.below(str(to), str(at), pair.step)


def _leaves(place: _Place, before: Node | None, after: Node | None) -> Iterator[Difference]:
    """What was added or deleted as a whole; one of the two is None."""
    node = before or after
    if node is None:
        return
    if node.kind not in {MAPPING, SEQUENCE} or not node.children:
        path = place.at if after is None else place.path
        yield Difference(path, place.at, place.place, before, after)
        return
    members: Sequence[tuple[str, Hashable, Node]]
    if node.kind == MAPPING:
        members = [(_segment(key), key.data, value) for key, value in node.pairs()]
    else:
        members = [(str(i), added(child), child) for i, child in enumerate(node.children)]
    for segment, step, child in members:
        below = place.below(segment, segment, step)
        yield from _leaves(below, child if before else None, child if after else None)


def _segment(key: Node) -> str:
    return escaped(key.value if key.kind == SCALAR else key.text)
