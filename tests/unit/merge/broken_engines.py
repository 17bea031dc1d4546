"""Engines that are broken on purpose, each as a change of one place that a real mistake could make.

`BROKEN` names them. Each takes a `MonkeyPatch`, which undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bps.merge import (
    anchors,
    detached,
    emit,
    engine,
    entries,
    finish,
    keyed,
    layout,
    listing,
    newlines,
    order,
    ordered,
    run,
    slots,
    texts,
    values,
)
from bps.merge.elements import Element
from bps.merge.records import Merged
from bps.merge.results import Conflicting
from bps.merge.slots import Slot

Break = Callable[[pytest.MonkeyPatch], None]


def a_side_is_dropped(patch: pytest.MonkeyPatch) -> None:
    """The last contribution never arrives."""
    sound = engine.merge

    def merge(canonical: str, contributions: Sequence[Any], **options: Any) -> Merged:
        return sound(canonical, contributions[: max(1, len(contributions) - 1)], **options)

    patch.setattr(engine, "merge", merge)


def a_deletion_is_resurrected(patch: pytest.MonkeyPatch) -> None:
    """An entry that one editor deleted comes back from its base."""
    sound = entries.merge_entry

    def merge_entry(*given: Any) -> list[Slot]:
        the_run, path, cursor, canonical, changes, column, *more = given
        found = sound(the_run, path, cursor, canonical, changes, column, *more)
        if not found and canonical is not None:
            return [slots.taken(canonical, column)]
        return found

    patch.setattr(engine, "merge_entry", merge_entry)


def list_elements_are_doubled(patch: pytest.MonkeyPatch) -> None:
    """What is inserted into a list goes in twice."""
    sound = ordered._OrderedMerge._inserted

    def inserted(self: Any, items: Any, whos: Any) -> list[Slot]:
        return sound(self, items, whos) * 2

    patch.setattr(ordered._OrderedMerge, "_inserted", inserted)


def comments_of_taken_entries_are_lost(patch: pytest.MonkeyPatch) -> None:
    """An entry is taken without the comment lines before it."""
    sound = slots.taken

    def taken(element: Element, column: int) -> Slot:
        slot = sound(element, column)
        return slot if slot.is_comment else slot._replace(lead=())

    patch.setattr(entries, "taken", taken)


def comments_at_line_ends_are_lost(patch: pytest.MonkeyPatch) -> None:
    """Where a value is merged, the comment at the end of its line goes."""
    patch.setattr(entries, "trailing_of", lambda *_: "")


def detached_comments_are_dropped(patch: pytest.MonkeyPatch) -> None:
    """A comment that stands alone is no element."""
    sound = detached.identities

    def identities(items: Sequence[Element], identify: Any) -> Any:
        return sound([item for item in items if item.value is not None], identify)

    patch.setattr(keyed, "identities", identities)


def keyed_lists_fall_back_to_positions(patch: pytest.MonkeyPatch) -> None:
    """Elements of a keyed list are known again by their index."""
    sound = listing._list
    places: dict[int, int] = {}

    def by_position(_: Any) -> Any:
        return lambda element: (places.get(id(element), -1),)

    def merged_list(*given: Any) -> Any:
        for version in given[5]:
            places.update({id(each): index for index, each in enumerate(version)})
        return sound(*given)

    patch.setattr(listing, "by_fields", by_position)
    patch.setattr(listing, "_list", merged_list)


def anchors_are_ignored(patch: pytest.MonkeyPatch) -> None:
    """An anchor may change under the aliases of another editor."""
    patch.setattr(anchors, "contested_anchors", lambda *_: [])


def the_first_side_wins(patch: pytest.MonkeyPatch) -> None:
    """Of two values for one place the first one is taken."""
    sound = values.merge_value

    def merge_value(*given: Any) -> Any:
        result = sound(*given)
        sides = given[4]
        return sides[0].side if isinstance(result, Conflicting) else result

    patch.setattr(engine, "merge_value", merge_value)


def the_first_addition_wins(patch: pytest.MonkeyPatch) -> None:
    """Of two entries added under one key the first one is taken."""

    def both_added(self: Any) -> list[Slot]:
        return [slots.taken(self.sides[0].side, self.column)]

    patch.setattr(entries._Competition, "_both_added", both_added)


def deletions_win(patch: pytest.MonkeyPatch) -> None:
    """An entry that one editor deleted goes, whatever another one did to it."""
    sound = entries._Competition.decide

    def decide(self: Any) -> list[Slot]:
        if any(each.side is None for each in self.sides):
            return []
        return sound(self)

    patch.setattr(entries._Competition, "decide", decide)


def null_is_missing(patch: pytest.MonkeyPatch) -> None:
    """A key whose value is null counts as no key."""
    sound = entries.merge_entry

    def there(element: Element | None) -> Element | None:
        null = element is not None and element.value is not None and element.value.kind == "scalar"
        if null and element is not None and element.value is not None:
            return None if element.value.text in {"", "null", "~"} else element
        return element

    def merge_entry(*given: Any) -> list[Slot]:
        the_run, path, cursor, canonical, changes, column, *more = given
        seen = [each._replace(base=there(each.base), side=there(each.side)) for each in changes]
        return sound(the_run, path, cursor, there(canonical), seen, column, *more)

    patch.setattr(engine, "merge_entry", merge_entry)


def ordered_lists_are_united(patch: pytest.MonkeyPatch) -> None:
    """Every list is a set."""
    sound = ordered.merge_ordered

    def merge_ordered(*place: Any, union: bool, **named: Any) -> Any:
        # Documents of a stream, which come with more, stay as they are.
        return sound(*place, union=union or not named, **named)

    patch.setattr(ordered, "merge_ordered", merge_ordered)


def the_splice_is_broken_and_unchecked(patch: pytest.MonkeyPatch) -> None:
    """Entries run into each other, and nobody reads the result again."""

    def append(pieces: list[Any], more: Sequence[Any], _: str) -> None:
        pieces += [piece for piece in more if piece != ""]
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] = pieces[-1].rstrip("\n") + " "

    patch.setattr(emit, "_append", append)
    patch.setattr(finish, "why_wrong", lambda *_: None)


def moved_text_keeps_its_indent(patch: pytest.MonkeyPatch) -> None:
    """Text that comes to another column stays as it was, and nobody reads the result again."""

    def moved(text: str, columns: int, *, first_line: bool) -> str:
        return text

    for module in (slots, layout):
        patch.setattr(module, "moved", moved)
    patch.setattr(finish, "why_wrong", lambda *_: None)


def order_is_turned_round(patch: pytest.MonkeyPatch) -> None:
    """The entries of a merged collection come out backwards."""
    sound = order.merged_order

    def merged_order(*versions: Any) -> Any:
        found, contradiction = sound(*versions)
        return list(reversed(found)), contradiction

    patch.setattr(keyed, "merged_order", merged_order)


def resolutions_are_ignored(patch: pytest.MonkeyPatch) -> None:
    """What a person decided is not looked at."""
    sound = engine.merge

    def merge(canonical: str, contributions: Sequence[Any], **options: Any) -> Merged:
        return sound(canonical, contributions, **{**options, "resolutions": None})

    patch.setattr(engine, "merge", merge)


def conflicts_name_one_side(patch: pytest.MonkeyPatch) -> None:
    """A conflict forgets all editors but the first."""
    sound = engine.merge

    def merge(canonical: str, contributions: Sequence[Any], **options: Any) -> Merged:
        found = sound(canonical, contributions, **options)
        conflicts = tuple(each._replace(sides=each.sides[:1]) for each in found.conflicts)
        return found._replace(conflicts=conflicts, marked=found.text or "")

    patch.setattr(engine, "merge", merge)


def ids_hang_on_the_order(patch: pytest.MonkeyPatch) -> None:
    """The id of a conflict covers its sides as they were given."""

    def conflict_id(pointer: str, kind: Any, base: Any, sides: Sequence[Any]) -> str:
        return f"{pointer}{kind}{base.text}{[(s.branch, s.variant.text) for s in sides]}"

    patch.setattr(run, "conflict_id", conflict_id)


def block_scalars_take_one_side(patch: pytest.MonkeyPatch) -> None:
    """Of two edits of a block scalar the first one's text is taken."""

    def merge_block_scalars(_: Any, __: Any, ___: Any, sides: Any, column: int) -> Any:
        return sides[0].side

    patch.setattr(texts, "merge_block_scalars", merge_block_scalars)


def comments_are_reformatted(patch: pytest.MonkeyPatch) -> None:
    """The whole text is written again in one style."""
    sound = newlines.Dress.dressed

    def dressed(self: Any, text: str) -> str:
        return sound(self, text.replace("  #", " #"))

    patch.setattr(newlines.Dress, "dressed", dressed)


BROKEN: tuple[Break, ...] = (
    a_side_is_dropped,
    a_deletion_is_resurrected,
    list_elements_are_doubled,
    comments_of_taken_entries_are_lost,
    comments_at_line_ends_are_lost,
    detached_comments_are_dropped,
    keyed_lists_fall_back_to_positions,
    anchors_are_ignored,
    the_first_side_wins,
    the_first_addition_wins,
    deletions_win,
    null_is_missing,
    ordered_lists_are_united,
    the_splice_is_broken_and_unchecked,
    moved_text_keeps_its_indent,
    order_is_turned_round,
    resolutions_are_ignored,
    conflicts_name_one_side,
    ids_hang_on_the_order,
    block_scalars_take_one_side,
    comments_are_reformatted,
)
