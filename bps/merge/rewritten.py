"""Law 5 for decisions: a text written over another one differs in what was decided alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from bps.merge.data import json_value
from bps.merge.source import MAPPING, SEQUENCE, Node
from bps.merge.twins import Piece, pieces_of


class Rewrite:
    """What becomes of one node: another value, an end, or something below it.

    A key below it that it does not have is a new entry, wherever among the others.
    """

    def __init__(self) -> None:
        self._below: dict[str, Rewrite] = {}
        self.gone = False
        self.value: tuple[object] | None = None

    def put(self, at: Sequence[str], value: object) -> None:
        """`value`, as JSON, at the keys and indices `at`, which count before anything goes."""
        self._at(at).value = (value,)

    def drop(self, at: Sequence[str]) -> None:
        """Nothing there any more."""
        self._at(at).gone = True

    def holds(self, before: Node | None, after: Node | None) -> bool:
        """Whether `after` is `before` with this.

        Cost: a pass over the entries on the way; the data of those alone whose lines differ.
        """
        if self.value is not None:
            return bool(json_value(after) == self.value[0])
        if not self._below:
            return _same(before, after)
        if before is None or after is None or before.kind not in {MAPPING, SEQUENCE}:
            return False
        kept = [each for each in self._entries(before) if not each[1].gone]
        new = self._new(before)
        if not kept and not new:
            return json_value(after) == ({} if before.kind == MAPPING else [])
        if after.kind != before.kind or not after.children:
            return False
        pieces = pieces_of(after)
        added = [each for each in pieces if _key(each) in new]
        if sorted(map(_key, added)) != sorted(new):
            return False
        rest = [each for each in pieces if _key(each) not in new]
        return all(new[_key(each)].holds(None, each.value) for each in added) and all(
            mine is not None and its is not None and _leads_on(mine, its)
            for mine, its in zip_longest(kept, rest)
        )

    def _new(self, before: Node) -> dict[str, Rewrite]:
        if before.kind != MAPPING:
            return {}
        known = {_key(each) for each in pieces_of(before)}
        return {key: each for key, each in self._below.items() if key not in known}

    def _at(self, at: Sequence[str]) -> Rewrite:
        here = self
        for token in at:
            here = here._below.setdefault(token, Rewrite())
        return here

    def _entries(self, before: Node) -> list[tuple[Piece, Rewrite]]:
        return [
            (piece, self._below.get(str(index) if piece.key is None else piece.key.value, _NOTHING))
            for index, piece in enumerate(pieces_of(before))
        ]


_NOTHING = Rewrite()


def _key(piece: Piece) -> str:
    """Empty for a list's element."""
    return "" if piece.key is None else piece.key.value


def _leads_on(mine: tuple[Piece, Rewrite], its: Piece) -> bool:
    """Whether an entry is there as it has to be."""
    piece, rewrite = mine
    if piece is its:
        return rewrite is _NOTHING or rewrite.holds(piece.value, its.value)
    return _same(piece.key, its.key) and rewrite.holds(piece.value, its.value)


def _same(before: Node | None, after: Node | None) -> bool:
    if before is None or after is None:
        return before is after
    return before.model is after.model or bool(json_value(before) == json_value(after))
