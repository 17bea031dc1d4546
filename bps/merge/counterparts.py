"""Which entries of two versions of a collection are one another, of those that differ.

Entries with the same lines are one piece in all versions (`bps.merge.twins`): they are left out
without being looked at. The others are known again as the merge knows them: by their key, by their
identity field, else by what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from bps.merge.identity import FIELDS, identity_of
from bps.merge.lcs import matches
from bps.merge.source import MAPPING, SEQUENCE, Node
from bps.merge.twins import Piece, pieces_of, row_of


class Pair(NamedTuple):
    """An entry before and after, with its place there; None where a version lacks it.

    `step` names it alike in all versions.
    """

    at: int | None
    to: int | None
    before: Piece | None
    after: Piece | None
    step: Hashable

    @property
    def key(self) -> Node | None:
        """A mapping's."""
        entry = self.after or self.before
        return None if entry is None else entry.key


class _Entries(NamedTuple):
    """A collection's entries, in their order and for lookup."""

    pieces: Sequence[Piece]
    known: frozenset[Piece]


_Identify = Callable[[Piece], Hashable]


class Counterparts:
    """Compares collections; what is learned of one serves its next comparison."""

    def __init__(self) -> None:
        self._entries: dict[Node, _Entries] = {}
        self._indices: dict[tuple[Node, str | None], dict[Hashable, int] | None] = {}

    def members(self, before: Node, after: Node) -> list[Pair] | None:
        """Of mappings, in the order of `after`, then what is gone; None: a key stands twice."""
        return self._known_by(before, after, None)

    def items(self, before: Node, after: Node) -> list[Pair]:
        """Of lists, in the order of `after`.

        Cost: a pass over the pieces, and looking at those that differ; for the first comparison
        the identities of all, and where there are none an alignment from the first one that
        differs to the last one.
        """
        for field in FIELDS:
            found = self._known_by(before, after, field)
            if found is not None:
                return found
        return _aligned(self._entries_of(before).pieces, self._entries_of(after).pieces)

    def _known_by(self, before: Node, after: Node, field: str | None) -> list[Pair] | None:
        """By a field, or None for the key; None where that does not name each entry of both."""
        indices = self._indices_of(before, field)
        if indices is None:
            return None
        identify = _identify(field)
        old, new = self._entries_of(before), self._entries_of(after)
        if len(new.known) < len(new.pieces):
            return None
        come: dict[Hashable, int] = {}
        for to, piece in enumerate(new.pieces):
            if piece in old.known:
                continue
            identity = identify(piece)
            if identity is None or identity in come:
                return None
            at = indices.get(identity)
            if at is not None and old.pieces[at] in new.known:
                return None
            come[identity] = to
        found: list[Pair] = []
        for identity, to in come.items():
            at = indices.get(identity)
            before_it = None if at is None else old.pieces[at]
            found.append(Pair(at, to, before_it, new.pieces[to], identity))
        for at, piece in enumerate(old.pieces):
            if piece not in new.known and (identity := identify(piece)) not in come:
                found.append(Pair(at, None, piece, None, identity))
        return found

    def _entries_of(self, node: Node) -> _Entries:
        model = node.model
        found = self._entries.get(model)
        if found is None:
            pieces = pieces_of(model)
            found = self._entries[model] = _Entries(pieces, frozenset(pieces))
        return found

    def _indices_of(self, node: Node, field: str | None) -> dict[Hashable, int] | None:
        """Where each entry stands by its identity; None where one has none or two have one."""
        model = node.model
        if (model, field) not in self._indices:
            self._indices[model, field] = self._indexed(model, _identify(field))
        return self._indices[model, field]

    def _indexed(self, model: Node, identify: _Identify) -> dict[Hashable, int] | None:
        found: dict[Hashable, int] = {}
        for index, piece in enumerate(self._entries_of(model).pieces):
            identity = identify(piece)
            if identity is None or identity in found:
                return None
            found[identity] = index
        return found


def holds_entries(node: Node) -> bool:
    """Whether it is a collection with an entry; those of a row are not made to tell."""
    if node.kind not in {MAPPING, SEQUENCE}:
        return False
    return row_of(node)[0] is not None or bool(node.children)


def _identify(field: str | None) -> _Identify:
    if field is None:
        return _key_of
    fields = (field,)

    def identify(piece: Piece) -> Hashable:
        found = identity_of(piece, fields)
        return None if found is None else ("identity", found)

    return identify


def _key_of(piece: Piece) -> Hashable:
    assert piece.key is not None  # noqa: S101 - entries of mappings have keys
    return piece.key.data


def _aligned(one: Sequence[Piece], other: Sequence[Piece]) -> list[Pair]:
    """Elements without identity: what is between those that are equal, by its place."""
    start, most = 0, min(len(one), len(other))
    while start < most and _alike(one[start], other[start]):
        start += 1
    ends, its_ends = len(one), len(other)
    while ends > start and its_ends > start and _alike(one[ends - 1], other[its_ends - 1]):
        ends, its_ends = ends - 1, its_ends - 1
    left = [piece.value.data for piece in one[start:ends]]
    right = [piece.value.data for piece in other[start:its_ends]]
    found: list[Pair] = []
    at, to = start, start
    for i, j in [*matches(left, right), (ends - start, its_ends - start)]:
        stop, its_stop = start + i, start + j
        while at < stop and to < its_stop:
            found.append(Pair(at, to, one[at], other[to], at))
            at, to = at + 1, to + 1
        found += [Pair(k, None, one[k], None, k) for k in range(at, stop)]
        found += [Pair(None, k, None, other[k], added(other[k].value)) for k in range(to, its_stop)]
        at, to = stop + 1, its_stop + 1
    return found


def _alike(one: Piece, other: Piece) -> bool:
    return one is other or bool(one.value.data == other.value.data)


def added(node: Node) -> Hashable:
    """The place of an element that another version does not have: what it is."""
    return ("added", node.data)
