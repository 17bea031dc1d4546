"""A stretch of a list in conflict."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.elements import Element
from bps.merge.fragments import list_items
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import Kind
from bps.merge.run import Path, Run, union_variant
from bps.merge.slots import Open, Slot, taken
from bps.merge.strategies import Cursor


class Place(NamedTuple):
    """Where a list is merged, and how: see `merge_ordered`."""

    run: Run
    path: Path
    cursor: Cursor
    column: int
    prefix: str
    alike: float
    union: bool


class Stretch(NamedTuple):
    """What an editor has in a stretch of the list, and what it was forked from."""

    label: str
    base: Sequence[Element]
    side: Sequence[Element]


def list_conflict(
    place: Place,
    path: Path,
    kind: Kind,
    stretches: Sequence[Stretch],
    kept: Sequence[Element],
    finding: str | None = None,
) -> list[Slot]:
    """The stretch in conflict, or as a person decided; `kept` is what others have there."""
    run, column = place.run, place.column
    base = stretches[0].base
    sides = [
        (e.label, union_variant(e.side, column), union_variant(e.base, column)) for e in stretches
    ]
    strategy = str(place.cursor.strategy or "")
    conflict, resolution = run.conflict(path, kind, sides[0][2], sides, strategy, finding=finding)
    if resolution is None:
        texts = tuple({label: variant.text for label, variant, _ in sides}.items())
        versions = (kept, *(each.side for each in stretches))
        gap = next((items[0].gap_text for items in versions if items), "")
        return [Slot(gap, (), (Open(conflict, sides[0][2].text, texts),), whole=True)]
    if resolution.text is not None:
        return list_items(resolution.text, column)
    chosen = base if resolution.take == "base" else kept
    for each in stretches:
        if each.label == resolution.take:
            chosen = each.side
    return [taken(each, column) for each in chosen]
