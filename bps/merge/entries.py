"""One entry of a collection in all versions: presence, its comments, and its value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from bps.merge.comment_text import end_of_line_comment
from bps.merge.comments import merge_comments, stripped
from bps.merge.elements import Element
from bps.merge.fragments import entry_of
from bps.merge.records import CANONICAL, Kind, Resolution
from bps.merge.results import Conflicting, Fresh, Result
from bps.merge.run import Change, Path, Run, lead_variant, same, variant_of
from bps.merge.slots import Expected, Open, Piece, Slot, full_lines, moved, taken
from bps.merge.strategies import Cursor
from bps.merge.values import in_parts


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
    odd = next((each for each in active if not same(canonical, each.base)), None)
    if odd is not None:
        active = [Change(CANONICAL, odd.base, canonical), *active]
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
        return [self._slot(gap, self._lead(), trailing, result)]

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

    def _slot(
        self, gap: str, lead: tuple[Piece, ...], trailing: str, result: Element | Fresh
    ) -> Slot:
        head = self._head_from(result, trailing)
        body: tuple[Piece, ...]
        expected: Expected
        if isinstance(result, Fresh):
            after = (_suffix(result.after, trailing),) if result.after else ()
            pieces = _below(head, result.layout, self.column, result.pieces)
            body, expected = (head, *pieces, *after), result.expected
        else:
            value = result.value
            assert value is not None  # noqa: S101 - merge_value returns entries
            shift = self.column - result.column
            text = result.source.text
            if value.block:
                region = moved(
                    text[result.head_end : result.end], shift, first_line=not result.compact
                )
                body = (head, *_below(head, result, self.column, (region,)))
            elif value.block_scalar:
                tail = moved(text[value.start : result.end], shift, first_line=False)
                indicators, comment, rest = _header(tail)
                body = (head, indicators, _suffix(comment + rest, trailing))
            else:
                content = moved(text[value.start : value.end], shift, first_line=False)
                body = (head, content, _suffix(text[value.end : result.end], trailing))
            expected = value
        key = None if self.canonical is None else self.canonical.key
        if key is None:
            key = next((e.side.key for e in self.sides if e.side is not None), None)
        shape = result.layout if isinstance(result, Fresh) else result
        data = None if key is None else key.data
        return Slot(gap, lead, body, key=data, expected=expected, flow=shape.flow)

    def _head_from(self, result: Element | Fresh, trailing: str) -> str:
        """From the key or dash to the value, with the comment if entries follow."""
        shape = result.layout if isinstance(result, Fresh) else result
        value = shape.value
        assert value is not None  # noqa: S101 - merge_value returns entries
        text = shape.source.text
        if not value.block or (isinstance(result, Fresh) and not result.block):
            if value.block:
                return _collapsed_head(shape)
            head = text[shape.start : value.start] if value.start > shape.start else ""
            key = shape.key
            if key is not None and value.start < key.end + 1:
                head = text[shape.start : key.end] + ": "
            return head or text[shape.start : value.start]
        head = text[shape.start : shape.head_end]
        if end_of_line_comment(shape).rstrip() == trailing:
            return moved(head, self.column - shape.column, first_line=False)
        first, newline, rest = head.partition("\n")
        had = end_of_line_comment(shape)
        if had:
            first = first.replace(had, "", 1)
        first = first.rstrip()
        if trailing:
            first = f"{first}  {trailing}"
        if not newline and not trailing:
            return f"{first} "
        if not newline:
            # `- a: 1` has no room for a comment behind its dash.
            newline = "\n"
        return first + newline + rest

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
        texts = tuple(
            (e.label, "" if e.side is None else full_lines(e.side, self.column)) for e in self.sides
        )
        base_text = "" if base_element is None else full_lines(base_element, self.column)
        shown = self.canonical or base_element or next(e.side for e in self.sides if e.side)
        return [Slot(shown.gap_text, (), (Open(conflict, base_text, texts),), whole=True)]

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


def _collapsed_head(shape: Element) -> str:
    """Key or dash, anchor and tag of a block collection that goes on as `[]` or `{}`."""
    value = shape.value
    assert value is not None  # noqa: S101 - it is a collection
    text = shape.source.text
    key = "- " if shape.key is None else f"{text[shape.start : shape.key.end]}: "
    if value.start >= value.first:
        return "" if shape.rooted else key
    properties = text[value.start : shape.source.line_end(value.start)].partition(" #")[0]
    return f"{'' if shape.rooted else key}{properties.strip()} "


def _header(scalar: str) -> tuple[str, str, str]:
    """A block scalar's indicators, what follows them on their line, and the lines below."""
    first, newline, rest = scalar.partition("\n")
    indicators = first.partition(" ")[0].rstrip()
    return indicators, first[len(indicators) :], newline + rest


def _below(head: str, layout: Element, column: int, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Pieces for a line of their own, where a comment took the place behind the dash."""
    value = layout.value
    if not (layout.compact and head.endswith("\n")) or value is None:
        return pieces
    if pieces and isinstance(pieces[0], str) and pieces[0].startswith(("\n", "\r\n")):
        return (pieces[0].partition("\n")[2], *pieces[1:])
    return (" " * (column + value.column - layout.column), *pieces)


def _suffix(after: str, trailing: str) -> str:
    """What follows a value on its last line, with the comment that was picked."""
    line, newline, rest = after.partition("\n")
    had = line[line.find("#") :].rstrip() if "#" in line else ""
    if had == trailing:
        return after
    carriage = "\r" if line.endswith("\r") else ""
    line = f"  {trailing}{carriage}" if trailing else carriage
    return line + newline + rest
