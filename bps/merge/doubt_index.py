"""The doubts of one merge, by the nodes that they are about."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.results import Doubt
from bps.merge.source import Node, Source


class DoubtIndex:
    """Doubts in order, and which of them is the first about an entry or what is inside it."""

    __slots__ = ("_inside", "_own", "doubts")

    def __init__(self, doubts: Sequence[Doubt] = ()) -> None:
        self.doubts = doubts
        self._own: dict[tuple[Source, int, int, str], int] = {}
        placed: dict[Source, list[tuple[int, int]]] = {}
        for at, doubt in enumerate(doubts):
            for node in doubt.nodes:
                self._own.setdefault(_place(node), at)
                placed.setdefault(node.source, []).append((node.start, at))
        self._inside = {source: sorted(found) for source, found in placed.items()}

    def own(self, element: Element) -> int | None:
        """The number of the first doubt about an entry's key or value. Cost: two look-ups."""
        nodes = [each for each in (element.key, element.value) if each is not None]
        found = [at for at in (self._own.get(_place(node)) for node in nodes) if at is not None]
        return min(found, default=None)

    def inside(self, element: Element) -> int | None:
        """The number of the first doubt about what begins in an entry.

        Cost: two binary searches, and a look at each doubt inside.
        """
        from bisect import bisect_left  # noqa: PLC0415 - few merges have doubts

        placed = self._inside.get(element.source)
        if placed is None:
            return None
        low, high = (bisect_left(placed, (at,)) for at in (element.start, element.end))
        return min((at for _, at in placed[low:high]), default=None)


def _place(node: Node) -> tuple[Source, int, int, str]:
    return node.source, node.start, node.end, node.kind
