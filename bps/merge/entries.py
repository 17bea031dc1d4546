"""One entry of a collection in all versions: presence, its comments, and its value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.assembly import assembled
from bps.merge.comment_text import end_of_line_comment
from bps.merge.comments import merge_comments, stripped
from bps.merge.elements import Element
from bps.merge.fragments import entry_of
from bps.merge.records import CANONICAL, Kind, Resolution
from bps.merge.results import Conflicting, Result
from bps.merge.run import Change, Path, Run, lead_variant, same, variant_of
from bps.merge.slots import Open, Piece, Slot, full_lines, moved, taken
from bps.merge.strategies import Cursor
from bps.merge.values import in_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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


def _take(element: Element | None, column: int) -> list[Slot]:
    return [] if element is None else [taken(element, column)]


def _spaced(slots: list[Slot], changes: Sequence[Change], canonical: Element | None) -> list[Slot]:
    """With the blank lines before it that somebody changed."""
    if not slots or canonical is None:
        return slots
    return [slots[0]._replace(gap=_gap(changes, canonical))]


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

    def _is_comment(self) -> bool:
        return any(
            element is not None and element.value is None
            for each in self.sides
            for element in (each.base, each.side)
        )

    def _both_added(self) -> list[Slot]:
        run = self.run
        first = self.sides[0].side
        contents = {run.contents(each.side) for each in self.sides}
        labels = [each.label for each in self.sides]
        if len(contents) == 1:
            run.origin(self.path, "added", labels)
            return _take(first, self.column)
        values = {None if e.side is None else _data(e.side) for e in self.sides}
        if len(values) > 1:
            return self._conflict(Kind.BOTH_ADDED)
        # Equal data: the version that has all the comments of the others loses nothing.
        for each in self.sides:
            assert each.side is not None  # noqa: S101 - nobody is missing here
            mine = run.comments(each.side)
            if all(o.side is None or set(run.comments(o.side)) <= set(mine) for o in self.sides):
                run.origin(self.path, "added", labels)
                return _take(each.side, self.column)
        return self._conflict(Kind.COMMENT)

    def _all_present(self) -> list[Slot]:
        run, sides = self.run, self.sides
        if self.canonical is not None and in_parts(self.cursor, self.canonical, sides):
            return self._piecewise()
        changed = [each for each in sides if run.differs(each.base, each.side)]
        labels = [each.label for each in changed]
        if self._is_comment():
            lead = self._lead()
            run.origin(self.path, "changed", labels or [sides[0].label])
            return [Slot(_gap(sides, self.canonical), lead, (), is_comment=True)]
        if not changed:
            # Layout alone, changed by several: canonical's.
            keeper = self.canonical if sides[0].label == CANONICAL else sides[0].side
            return _take(keeper, self.column)
        if len({run.contents(each.side) for each in changed}) == 1 and (
            not any(each.label == CANONICAL for each in changed) or changed[0].label == CANONICAL
        ):
            run.origin(self.path, "changed", labels)
            return _take(changed[0].side, self.column)
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
        trailing = self._trailing()
        if trailing is None:
            del run.conflicts[before:]
            return self._conflict(Kind.COMMENT)
        gap = _gap(self.sides, self.canonical)
        keys = (each.key for each in (self.canonical, *(e.side for e in self.sides)) if each)
        key = next((each.data for each in keys if each is not None), None)
        return [assembled(result, gap, self._lead(), trailing, key, self.column)]

    def _trailing(self) -> str | None:
        """The comment at the end of the line; None where editors disagree."""
        texts = [end_of_line_comment(e).rstrip() for e in _elements(self.sides)]
        pairs = list(zip(texts[::2], texts[1::2], strict=True))
        wanted = {side for base, side in pairs if base != side}
        if len(wanted) > 1:
            return None
        return wanted.pop() if wanted else texts[0]

    def _lead(self) -> tuple[Piece, ...]:
        """The comment lines before the entry, or the conflict between them."""
        run = self.run
        texts = [element.lead_text for element in _elements(self.sides)]
        merged = merge_comments(list(zip(texts[::2], texts[1::2], strict=True)))
        versions = [self.canonical, *(each.side for each in self.sides)]
        if merged is not None:
            for element in versions:
                if element is not None and stripped(element.lead_text) == merged:
                    shift = self.column - element.column
                    return (moved(element.lead_text, shift, first_line=True),)
            margin = " " * self.column
            return ("".join(f"{margin}{line}\n" if line else "\n" for line in merged),)
        base = self.sides[0].base
        sides = [(e.label, lead_variant(e.side), lead_variant(e.base)) for e in self.sides]
        conflict, resolution = run.conflict(
            self.path, Kind.COMMENT, lead_variant(base), sides, identity=self.identity
        )
        told = {label: variant.text for label, variant, _ in sides}
        if resolution is None:
            return (Open(conflict, lead_variant(base).text, tuple(told.items())),)
        if resolution.text is not None:
            return (moved(resolution.text.rstrip("\n") + "\n", self.column, first_line=True),)
        chosen = versions[0] if resolution.take != "base" else base
        for each in self.sides:
            if each.label == resolution.take:
                chosen = each.side
        text = "" if chosen is None else chosen.lead_text
        shift = self.column - (0 if chosen is None else chosen.column)
        return (moved(text, shift, first_line=True),)

    def _conflict(
        self, kind: Kind, *, strategy: str = "", finding: str | None = None
    ) -> list[Slot]:
        """The whole entry in conflict."""
        run = self.run
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


def _elements(sides: Sequence[Change]) -> list[Element]:
    return [e for each in sides for e in (each.base, each.side) if e is not None]


def _gap(sides: Sequence[Change], canonical: Element | None) -> str:
    """The blank lines before the entry: canonical's, or those of the first who changed them."""
    for each in sides:
        if each.base and each.side and each.base.gap_text != each.side.gap_text:
            return each.side.gap_text
    return "" if canonical is None else canonical.gap_text
