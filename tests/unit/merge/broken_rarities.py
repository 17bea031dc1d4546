"""More broken engines: in rarer YAML, declared strategies, sets and typed decisions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bps.merge import (
    anchors,
    engine,
    entries,
    extremes,
    finish,
    fragments,
    identity,
    listing,
    newlines,
    ordered,
    parse,
    reader,
    rows,
    slots,
    streams,
    values,
)
from bps.merge.records import CANONICAL, Contribution, Merged
from bps.merge.slots import Slot
from bps.merge.strategies import EMPTY

Break = Callable[[pytest.MonkeyPatch], None]


def comments_in_flow_are_lost(patch: pytest.MonkeyPatch) -> None:
    """Comments inside a value, as those of a flow collection, are not looked at."""
    patch.setattr(values, "_inside", lambda _: ())


def document_ends_are_dropped(patch: pytest.MonkeyPatch) -> None:
    """What follows the last document goes, its `...` too."""
    patch.setattr(engine, "merged_trailer", lambda *_: "")


def line_ends_come_out_mixed(patch: pytest.MonkeyPatch) -> None:
    """Of a text with CRLF the first line alone gets it back."""
    sound = newlines.Dress.dressed

    def dressed(self: Any, text: str) -> str:
        found = sound(self, text)
        first, found_break, rest = found.partition("\r\n")
        return first + found_break + rest.replace("\r\n", "\n")

    patch.setattr(newlines.Dress, "dressed", dressed)


def the_byte_order_mark_goes(patch: pytest.MonkeyPatch) -> None:
    """A merge has no byte order mark."""
    sound = newlines.Dress.dressed
    patch.setattr(newlines.Dress, "dressed", lambda self, text: sound(self, text).lstrip("\ufeff"))


def the_last_newline_is_always_there(patch: pytest.MonkeyPatch) -> None:
    """Every result ends in a newline."""
    patch.setattr(
        newlines.Dress, "ended", lambda _, text: text if text.endswith("\n") else f"{text}\n"
    )


def names_decide(patch: pytest.MonkeyPatch) -> None:
    """Of two entries with one key, the one whose editor is first in the alphabet goes in."""

    def both_added(self: Any) -> list[Slot]:
        first = min(self.sides, key=lambda each: each.label)
        return [slots.taken(first.side, self.column)]

    patch.setattr(entries._Competition, "_both_added", both_added)


def contributions_are_sorted_by_name(patch: pytest.MonkeyPatch) -> None:
    """Additions stand in the order of their editors' names."""
    sound = engine.merge

    def merge(canonical: str, contributions: Sequence[Contribution], **options: Any) -> Merged:
        return sound(canonical, sorted(contributions, key=lambda e: e.label), **options)

    patch.setattr(engine, "merge", merge)


def an_anchor_loses_its_aliases(patch: pytest.MonkeyPatch) -> None:
    """An anchor may be renamed under an alias of another editor, and nobody looks again."""
    patch.setattr(anchors, "contested_anchors", lambda *_: [])
    patch.setattr(finish, "why_wrong", lambda *_: None)


def who_changed_an_entry_first_is_thought_alone(patch: pytest.MonkeyPatch) -> None:
    """In versions with the same entries, the first edit of one is taken for the only one."""
    sound = rows._only_edit

    def only_edit(own: Any, editors: Any, index: int) -> Any:
        found = (sound(own, [each], index) for each in editors)
        return next((each for each in found if each is not None), None)

    patch.setattr(reader, "SMALLEST", 0)
    patch.setattr(rows, "_only_edit", only_edit)


def questions_count_from_their_key(patch: pytest.MonkeyPatch) -> None:
    """A mapping begins at its first key, whatever stands before that."""
    sound = parse._Builder._leave

    def leave(self: Any, event: Any) -> None:
        node = self._stack[-1]
        sound(self, event)
        if node.kind == "mapping" and not node.flow and node.children:
            node.first = node.children[0].start
            node.column = node.first - self._source.line_start(node.first)

    patch.setattr(parse._Builder, "_leave", leave)


def comments_behind_a_root_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A comment behind `{}` is nobody's."""
    patch.setattr(streams, "_comments_behind_a_root", lambda _: False)


def doubled_keys_are_merged(patch: pytest.MonkeyPatch) -> None:
    """Of a key that is there twice the last one counts, and nobody looks again."""
    patch.setattr(listing, "unique", lambda *_: True)
    patch.setattr(finish, "why_wrong", lambda *_: None)


def documents_are_told_apart_by_place(patch: pytest.MonkeyPatch) -> None:
    """A text is what its first document is."""
    sound = streams.merge_documents

    def merge_documents(run: Any, cursor: Any, canonical: Any, editors: Any) -> Any:
        return sound(run, cursor, canonical[:1], [(n, b[:1], s[:1]) for n, b, s in editors])

    patch.setattr(engine, "merge_documents", merge_documents)
    patch.setattr(finish, "why_wrong", lambda *_: None)


def declared_strategies_are_ignored(patch: pytest.MonkeyPatch) -> None:
    """What a policy declares is not looked at."""
    sound = engine._Merge.__init__

    def init(self: Any, canonical: Any, active: Any, _: Any, *more: Any) -> None:
        sound(self, canonical, active, None, *more)

    patch.setattr(engine._Merge, "__init__", init)


def atomic_is_merged_inside(patch: pytest.MonkeyPatch) -> None:
    """Declared as one unit, a collection comes apart as any other."""
    sound = values.in_parts
    for module in (values, entries):
        patch.setattr(module, "in_parts", lambda _, *given: sound(EMPTY, *given))


def the_greatest_is_the_first(patch: pytest.MonkeyPatch) -> None:
    """`max` takes what it is given first."""
    patch.setattr(extremes, "greatest", lambda *_: 0)


def a_declared_set_keeps_what_was_taken_away(patch: pytest.MonkeyPatch) -> None:
    """A declared set only grows."""
    sound = listing._keyed

    def keyed(*given: Any, ordered: bool) -> Any:
        run, path, cursor, canonical, sides, fields, column = given
        if not ordered:
            sides = [e for e in sides if len(_items(run, e.side)) >= len(_items(run, e.base))]
        return sound(
            run, path, cursor, canonical, sides or given[4], fields, column, ordered=ordered
        )

    def _items(run: Any, element: Any) -> list[Any]:
        found = run.elements(element)
        return [] if found is None else found.entries

    patch.setattr(listing, "_keyed", keyed)


def declared_fields_are_the_first_one(patch: pytest.MonkeyPatch) -> None:
    """Elements without their declared fields are known again by nothing, and merged."""
    patch.setattr(listing, "by_fields", lambda _: identity.by_fields(("id",)))
    patch.setattr(listing, "unique", lambda *_: True)


def canonical_is_no_editor(patch: pytest.MonkeyPatch) -> None:
    """What canonical did since a base counts for nothing against the contributions."""
    sound: Any = entries._Competition.__init__

    def init(self: Any, *given: Any) -> None:
        run, path, cursor, canonical, sides, *more = given
        others = [each for each in sides if each.label != CANONICAL]
        sound(self, run, path, cursor, canonical, others or sides, *more)

    patch.setattr(entries._Competition, "__init__", init)


def the_last_of_a_crowd_counts_twice(patch: pytest.MonkeyPatch) -> None:
    """Of three and more additions in one gap of a set the last one goes in twice."""
    sound = ordered._OrderedMerge._united

    def united(self: Any, group: Any) -> list[Slot]:
        found = sound(self, group)
        return [*found, found[-1]] if len(group.hunks) > 2 else found

    patch.setattr(ordered._OrderedMerge, "_united", united)
    patch.setattr(finish, "why_wrong", lambda *_: None)


def typed_values_lose_their_indent(patch: pytest.MonkeyPatch) -> None:
    """A typed value keeps the columns that it was typed in, and nobody looks again."""
    patch.setattr(fragments, "moved", lambda text, *_, **__: text)
    patch.setattr(finish, "why_wrong", lambda *_: None)


def a_chosen_deletion_keeps_the_base(patch: pytest.MonkeyPatch) -> None:
    """Who chooses the side that deleted an entry gets the base's."""
    sound = entries._Competition._resolved

    def resolved(self: Any, resolution: Any, base: Any) -> list[Slot]:
        found = sound(self, resolution, base)
        return found if found or base is None else [slots.taken(base, self.column)]

    patch.setattr(entries._Competition, "_resolved", resolved)


def the_base_cannot_be_chosen(patch: pytest.MonkeyPatch) -> None:
    """Who chooses the base gets canonical."""
    sound = entries._Competition._resolved

    def resolved(self: Any, resolution: Any, base: Any) -> list[Slot]:
        if resolution.take == "base":
            return [slots.taken(self.sides[0].side or base, self.column)]
        return sound(self, resolution, base)

    patch.setattr(entries._Competition, "_resolved", resolved)


def flow_becomes_block(patch: pytest.MonkeyPatch) -> None:
    """A merged flow collection comes out as one side has it."""

    def flow_collection(layout: Any, *_: Any) -> Any:
        return layout

    patch.setattr(listing, "flow_collection", flow_collection)
    patch.setattr(finish, "why_wrong", lambda *_: None)


RARELY_BROKEN: tuple[Break, ...] = (
    comments_in_flow_are_lost,
    document_ends_are_dropped,
    line_ends_come_out_mixed,
    the_byte_order_mark_goes,
    the_last_newline_is_always_there,
    names_decide,
    contributions_are_sorted_by_name,
    an_anchor_loses_its_aliases,
    who_changed_an_entry_first_is_thought_alone,
    questions_count_from_their_key,
    comments_behind_a_root_are_forgotten,
    doubled_keys_are_merged,
    documents_are_told_apart_by_place,
    declared_strategies_are_ignored,
    atomic_is_merged_inside,
    the_greatest_is_the_first,
    a_declared_set_keeps_what_was_taken_away,
    declared_fields_are_the_first_one,
    canonical_is_no_editor,
    the_last_of_a_crowd_counts_twice,
    typed_values_lose_their_indent,
    a_chosen_deletion_keeps_the_base,
    the_base_cannot_be_chosen,
    flow_becomes_block,
)
