"""What stands above each element of a collection, where that is merged apart from the element."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.regions import Regions, contested_slot
from bps.merge.run import Path, Run
from bps.merge.slots import Slot
from bps.merge.taken_over import HandedBack

Ident = Hashable
Items = dict[Ident, Element]


class Heads:
    """Comments and blank lines that were merged by themselves, and the versions without them."""

    def __init__(
        self, canonical: Items, editors: Sequence[tuple[str, Items, Items]], column: int
    ) -> None:
        regions = Regions(canonical, editors, column)
        back = HandedBack(regions.canonical, regions.editors, column)
        self.canonical = back.canonical
        self.editors = back.editors
        self._texts = regions.texts | back.heads
        self._contested = regions.contested
        self._gaps = back.gaps
        self._spaced: set[Ident] = set()
        self._column = column

    def above(
        self, run: Run, path: Path, place: Ident, segment: Callable[[Ident, Element], str]
    ) -> list[Slot]:
        """What stands above the element at `place`; asked once a place, in order."""
        slots: list[Slot] = []
        gap, token = self._gaps.get(place, ("", None))
        if gap and token not in self._spaced:
            slots.append(Slot("", (gap,), (), is_comment=True))
            self._spaced.add(token)
        contested = self._contested.get(place)
        if contested is not None:
            entry = contested.base.entry
            here = path if entry is None else (*path, segment(place, entry))
            slots.append(contested_slot(run, here, contested, self._column))
        text = self._texts.get(place)
        if text is not None:
            if text[1]:
                run.origin(path, "changed", text[1])
            slots.append(Slot("", (text[0],), (), is_comment=True))
        return slots
