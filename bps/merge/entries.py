"""One entry of a collection in all versions: presence, its comments, and its value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.assembly import assembled
from bps.merge.check import TOGETHER
from bps.merge.elements import Element
from bps.merge.layout import gap_of, lead_of, of_equals, trailing_of
from bps.merge.records import CANONICAL, Kind, Resolution
from bps.merge.results import Conflicting, Result
from bps.merge.run import Change, Path, Run, same, variant_of, versions_in
from bps.merge.slots import Open, Slot, full_lines, taken
from bps.merge.source import MAPPING
from bps.merge.strategies import Cursor
from bps.merge.values import in_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bps.merge.doubts import Reach


def merge_entry(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element | None,
    changes: Sequence[Change],
    column: int,
    identity: dict[str, Any] | None = None,
) -> list[Slot]:
    """The entry in the result at `column`: one slot, or none where it is deleted.

    Cost: one comparison of source text a version where at most one editor changed it.
    """
    if run.doubts:
        slots = _in_doubt(run, path, cursor, canonical, changes, column, identity)
        if slots is not None:
            return slots
    active = [each for each in changes if not same(each.base, each.side)]
    if not active:
        return _spaced(_take(canonical, column), changes, canonical)
    settled = all(same(canonical, each.base) for each in active)
    first = active[0]
    if all(same(each.side, first.side) for each in active):
        labels = [each.label for each in active]
        if settled:
            run.origin(path, _change(first), labels)
            _tell_of_comments(run, path, first)
            return _spaced(_take(first.side, column), changes, canonical)
        if same(canonical, first.side):
            run.origin(path, _change(first), [CANONICAL, *labels])
            return _spaced(_take(canonical, column), changes, canonical)
    moved_on: list[Change] = []
    for each in active:
        if not same(canonical, each.base) and not any(same(c.base, each.base) for c in moved_on):
            # Canonical is one more editor of every base that it left behind.
            moved_on.append(Change(CANONICAL, each.base, canonical))
    active = [*moved_on, *active]
    return _Competition(run, path, cursor, canonical, active, column, identity).decide()


def _in_doubt(
    run: Run,
    path: Path,
    cursor: Cursor,
    canonical: Element | None,
    changes: Sequence[Change],
    column: int,
    identity: dict[str, Any] | None,
) -> list[Slot] | None:
    """The entry where somebody changed what a doubt is about, or holds it; else None."""
    from bps.merge import doubts  # noqa: PLC0415 - most merges have none

    within = run.within
    reach = (
        doubts.reach_of(run.doubt_index, canonical, changes)
        if within is None
        else doubts.Reach(within, own=True)
    )
    if reach is None:
        return None
    sides = doubts.editors_of(reach.doubt, canonical, changes)
    if not doubts.changes_it(reach.doubt, sides):
        return None
    competition = _Competition(run, path, cursor, canonical, sides, column, identity)
    return competition.decide_in_doubt(reach)


def _take(element: Element | None, column: int) -> list[Slot]:
    return [] if element is None else [taken(element, column)]


def _spaced(slots: list[Slot], changes: Sequence[Change], canonical: Element | None) -> list[Slot]:
    """With the blank lines before it that somebody changed."""
    if not slots or canonical is None:
        return slots
    return [slots[0]._replace(gap=gap_of(changes, canonical))]


def _change(change: Change) -> str:
    if change.base is None:
        return "added"
    return "deleted" if change.side is None else "changed"


def _tell_of_comments(run: Run, path: Path, change: Change) -> None:
    if change.side is None and change.base is not None and change.base.value is not None:
        gone = run.comments(change.base)
        if gone:
            run.notice(path, f"deleted by {change.label} with {len(gone)} comment(s) of its own")


class _Competition:
    """Several editors changed the entry, canonical possibly among them."""

    def __init__(
        self,
        run: Run,
        path: Path,
        cursor: Cursor,
        canonical: Element | None,
        sides: Sequence[Change],
        column: int,
        identity: dict[str, Any] | None,
    ) -> None:
        self.run = run
        self.path = path
        self.cursor = cursor
        self.canonical = canonical
        self.sides = sides
        self.column = column
        self.identity = identity

    def decide(self) -> list[Slot]:
        have = [each for each in self.sides if each.side is not None]
        missing = [each for each in self.sides if each.side is None]
        with_base = [each for each in self.sides if each.base is not None]
        if not have:
            self.run.origin(self.path, "deleted", [each.label for each in missing])
            return []
        if not with_base:
            return self._both_added()
        if len(with_base) < len(self.sides):
            return self._conflict(Kind.BOTH_MODIFIED)
        if missing:
            if any(self.run.differs(each.base, each.side) for each in have):
                return self._conflict(Kind.COMMENT if self._is_comment() else Kind.MODIFY_DELETE)
            self.run.origin(self.path, "deleted", [each.label for each in missing])
            return []
        return self._all_present()

    def decide_in_doubt(self, reach: Reach) -> list[Slot]:
        """In conflict, or where that is a mapping's, each entry of it that somebody changed."""
        run, canonical = self.run, self.canonical
        present = all(each.base is not None and each.side is not None for each in self.sides)
        if canonical is not None and present and in_parts(self.cursor, canonical, self.sides):
            parts = canonical.value is not None and canonical.value.kind == MAPPING
            if not reach.own or (parts and not reach.doubt.whole):
                outer = run.within
                run.within = reach.doubt if reach.own else outer
                slots = self._piecewise()
                run.within = outer
                return slots
        run.met.add(reach.doubt)
        return self._conflict(reach.doubt.kind, finding=reach.doubt.finding)

    def _is_comment(self) -> bool:
        return any(element.value is None for element in versions_in(self.sides))

    def _both_added(self) -> list[Slot]:
        run = self.run
        contents = {run.contents(each.side) for each in self.sides}
        labels = [each.label for each in self.sides]
        if len(contents) == 1:
            run.origin(self.path, "added", labels)
            return _take(of_equals(self.sides), self.column)
        values = {None if e.side is None else _data(e.side) for e in self.sides}
        if len(values) > 1:
            return self._conflict(Kind.BOTH_ADDED)
        # Equal data: the version that has all the comments of the others loses nothing.
        said = [set() if e.side is None else set(run.comments(e.side)) for e in self.sides]
        most = [
            each for each, its in zip(self.sides, said, strict=True) if set().union(*said) <= its
        ]
        if not most:
            return self._conflict(Kind.COMMENT)
        run.origin(self.path, "added", labels)
        return _take(of_equals(most), self.column)

    def _all_present(self) -> list[Slot]:
        run, sides = self.run, self.sides
        if self.canonical is not None and in_parts(self.cursor, self.canonical, sides):
            return self._piecewise()
        changed = [each for each in sides if run.differs(each.base, each.side)]
        labels = [each.label for each in changed]
        if self._is_comment():
            lead = lead_of(run, self.path, self.canonical, sides, self.column, self.identity)
            run.origin(self.path, "changed", labels or [sides[0].label])
            return [Slot(gap_of(sides, self.canonical), lead, (), is_comment=True)]
        data = {e and _data(e) for each in changed for e in (each.base, each.side)}
        if len(data) == 1 == len({run.contents(each.side) for each in changed}):
            # Comments alone, and alike: of data the merge of the value tells.
            run.origin(self.path, "changed", labels)
        return self._piecewise()

    def _piecewise(self) -> list[Slot]:
        """Merge the comments before, the one at the end of the line, and the value."""
        run = self.run
        before = len(run.conflicts)
        result: Result = run.merge_value(
            run, self.path, self.cursor, self.canonical, self.sides, self.column
        )
        if isinstance(result, Conflicting):
            del run.conflicts[before:]
            return self._conflict(result.kind, strategy=result.strategy, finding=result.finding)
        trailing = trailing_of(self.canonical, self.sides)
        if trailing is None:
            del run.conflicts[before:]
            return self._conflict(Kind.COMMENT)
        gap = gap_of(self.sides, self.canonical)
        keys = (each.key for each in (self.canonical, *(e.side for e in self.sides)) if each)
        key = next((each.data for each in keys if each is not None), None)
        shape = self.canonical or versions_in(self.sides)[0]
        lead = lead_of(run, self.path, self.canonical, self.sides, self.column, self.identity)
        slot = assembled(result, gap, lead, trailing, key, self.column)
        if shape.rooted and not run.by_rows:
            from bps.merge.endings import with_last_blank_lines  # noqa: PLC0415 - see `by_rows`

            slot = with_last_blank_lines(slot, self.canonical, self.sides)
        if run.careful and not shape.rooted:
            from bps.merge.proofs import reads_as_computed  # noqa: PLC0415 - hardly ever

            if not reads_as_computed(slot, self.column):
                del run.conflicts[before:]
                return self._conflict(Kind.BOTH_MODIFIED, finding=TOGETHER)
        return [slot]

    def _conflict(
        self, kind: Kind, *, strategy: str = "", finding: str | None = None
    ) -> list[Slot]:
        """The whole entry in conflict."""
        run = self.run
        if run.doubts:
            from bps.merge.doubts import settled_with  # noqa: PLC0415 - most merges have none

            versions = [each for each in (self.canonical, *versions_in(self.sides)) if each]
            run.met.update(settled_with(run.doubts, versions))
        base_element = next((e.base for e in self.sides if e.base is not None), None)
        base = variant_of(base_element)
        sides = [(e.label, variant_of(e.side), variant_of(e.base)) for e in self.sides]
        conflict, resolution = run.conflict(
            self.path,
            kind,
            base,
            sides,
            strategy or str(self.cursor.strategy or ""),
            identity=self.identity,
            finding=finding,
        )
        if resolution is not None:
            return self._resolved(resolution, base_element)
        texts = {
            e.label: "" if e.side is None else full_lines(e.side, self.column) for e in self.sides
        }
        base_text = "" if base_element is None else full_lines(base_element, self.column)
        shown = self.canonical or base_element or next(e.side for e in self.sides if e.side)
        return [
            Slot(shown.gap_text, (), (Open(conflict, base_text, tuple(texts.items())),), whole=True)
        ]

    def _resolved(self, resolution: Resolution, base: Element | None) -> list[Slot]:
        if resolution.text is not None:
            from bps.merge.fragments import entry_of  # noqa: PLC0415 - only for resolutions

            shape = base or next(e.side for e in self.sides if e.side is not None)
            return [entry_of(resolution.text, shape, self.column)]
        if resolution.take == "base":
            return _take(base, self.column)
        for each in self.sides:
            if each.label == resolution.take:
                return _take(each.side, self.column)
        return _take(self.canonical, self.column)


def _data(element: Element) -> Hashable:
    return None if element.value is None else element.value.data
