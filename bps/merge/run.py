"""What one merge knows and gathers: versions, open conflicts, origins, notices."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from bps.merge.comment_text import comments_before_value, comments_in
from bps.merge.data import json_value
from bps.merge.elements import Element, Elements
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import (
    ABSENT,
    Conflict,
    Kind,
    Notice,
    Origin,
    Resolution,
    Side,
    Variant,
)
from bps.merge.refusals import TooManyConflicts
from bps.merge.results import Doubt
from bps.merge.slots import full_lines
from bps.merge.source import Node
from bps.merge.twins import split_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bps.merge.doubt_index import DoubtIndex

Path = tuple[str, ...]


class Change(NamedTuple):
    """One editor's version of a place beside what it was forked from; None where it lacks it."""

    label: str
    base: Element | None
    side: Element | None


def versions_in(changes: Sequence[Change]) -> list[Element]:
    """Base and side of each editor, those that lack the place left out."""
    return [e for each in changes for e in (each.base, each.side) if e is not None]


class Run:
    """The state of one merge; pure, and used once."""

    def __init__(
        self,
        resolutions: Mapping[str, Resolution],
        editors: Mapping[str, str | None],
        canonical_label: str,
        most_conflicts: int | None = None,
    ) -> None:
        self.most_conflicts = most_conflicts
        self.resolutions = resolutions
        self.editors = editors
        self.canonical_label = canonical_label
        self.prefix = ""
        self.conflicts: list[Conflict] = []
        self.decided: dict[str, Conflict] = {}
        self.notices: list[Notice] = []
        self.origins: list[Origin] = []
        self.doubts: Sequence[Doubt] = ()
        self.doubt_index: DoubtIndex
        self.within: Doubt | None = None
        self.met: set[Doubt] = set()
        self.anchors: frozenset[str] = frozenset()
        self.careful = False
        self.by_rows = True
        """Whether only entries were merged of collections in which none came, went or moved."""
        self.merge_value: Callable[..., Any]
        self.merge_entry: Callable[..., Any]
        # By the element itself, which lives as long as the key.
        self._elements: dict[Element, Elements | None] = {}
        self._comments: dict[Element, tuple[str, ...]] = {}

    def again(self) -> None:
        """Forget what was decided; the versions stay as they were cut."""
        self.conflicts.clear()
        self.decided.clear()
        self.notices.clear()
        self.origins.clear()
        self.met.clear()

    def doubt(self, doubts: Sequence[Doubt]) -> None:
        """Leave what they are about to a person."""
        from bps.merge.doubt_index import DoubtIndex  # noqa: PLC0415 - most merges have none

        self.doubts = doubts
        self.doubt_index = DoubtIndex(doubts)

    def pointer(self, path: Path) -> str:
        """The JSON Pointer of a path."""
        return self.prefix + "".join(f"/{segment}" for segment in path)

    def elements(self, element: Element) -> Elements | None:
        """The elements of an entry's block or flow collection, cut once."""
        value = element.value
        assert value is not None  # noqa: S101 - detached comments have no value
        found = self._elements.get(element, self)
        if found is self:
            if value.flow:
                found = None if comments_before_value(element) else _flow_elements(value)
            else:
                found = split_known(value, element.head_end, element.end)
            self._elements[element] = found
        return found  # type: ignore[return-value]

    def seed(self, element: Element, elements: Elements) -> None:
        """Say what an entry consists of."""
        self._elements[element] = elements

    def comments(self, element: Element) -> tuple[str, ...]:
        """All comments in an entry and before it, in order."""
        found = self._comments.get(element)
        if found is None:
            found = self._comments[element] = comments_in(element)
        return found

    def contents(self, element: Element | None) -> Hashable:
        """What may not get lost: the data and the comments, without layout."""
        if element is None:
            return None
        if element.value is None:
            return self.comments(element)
        key = None if element.key is None else element.key.data
        return (key, element.value.data, self.comments(element))

    def differs(self, one: Element | None, other: Element | None) -> bool:
        """Whether two versions of an entry differ in data or comments."""
        if one is None or other is None:
            return one is not other
        return not same(one, other) and self.contents(one) != self.contents(other)

    def origin(self, path: Path, change: str, labels: Sequence[str]) -> None:
        """Note whose edit is in the result."""
        self.origins.append(Origin(self.pointer(path), change, tuple(dict.fromkeys(labels))))

    def notice(self, path: Path, message: str) -> None:
        """Note something that stops nothing."""
        self.notices.append(Notice(self.pointer(path), message))

    def conflict(
        self,
        path: Path,
        kind: Kind,
        base: Variant,
        sides: Sequence[tuple[str, Variant, Variant]],
        strategy: str = "",
        *,
        identity: dict[str, Any] | None = None,
        suggestion: str | None = None,
        finding: str | None = None,
    ) -> tuple[Conflict, Resolution | None]:
        """Name a conflict; with its resolution where a person made one, else it stays open.

        `sides` are label, variant and the variant that it was forked from. Raises TooManyConflicts.
        """
        # Canonical can stand beside several bases, and is told once.
        distinct = {label: (variant, own) for label, variant, own in reversed(sides)}
        order = dict.fromkeys(label for label, _, _ in sides)
        sides = [(label, *distinct[label]) for label in order]
        told = tuple(
            Side(label, self.editors.get(label), variant, own if own.text != base.text else None)
            for label, variant, own in sides
        )
        pointer = self.pointer(path)
        conflict = Conflict(
            conflict_id(pointer, kind, base, told),
            pointer,
            identity,
            kind,
            base,
            told,
            strategy,
            suggestion,
            finding,
        )
        resolution = self.resolutions.get(conflict.id)
        if resolution is None:
            self.conflicts.append(conflict)
            if self.most_conflicts is not None and len(self.conflicts) > self.most_conflicts:
                sides_of_all = (side for each in self.conflicts for side in each.sides)
                labels = frozenset(side.branch for side in sides_of_all)
                raise TooManyConflicts(self.most_conflicts, labels)
        else:
            self.decided[conflict.id] = conflict
            if resolution.text is not None:
                from bps.merge.typed import in_lines, refuse_unknown_aliases  # noqa: PLC0415 - rare

                resolution = resolution._replace(text=in_lines(resolution.text))
                if kind is not Kind.COMMENT:
                    refuse_unknown_aliases(resolution.text or "", self.anchors)
            who = resolution.take if resolution.take is not None else "an edited value"
            self.origins.append(Origin(pointer, "resolved", (who,)))
        return conflict, resolution


def conflict_id(pointer: str, kind: Kind, base: Variant, sides: Sequence[Side]) -> str:
    """The first 16 hex digits of a SHA-256 over the place, the kind and every variant.

    The order in which sides were given does not count.
    """
    import hashlib  # noqa: PLC0415 - a clean merge does not need it, and git starts one a file

    parts = [pointer, kind.value, f"{base.present}", base.text]
    for side in sorted(sides):
        own = base if side.base is None else side.base
        variant = side.variant
        parts += [side.branch, f"{variant.present}", variant.text, own.text]
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def same(one: Element | None, other: Element | None) -> bool:
    """Whether two versions of an entry are the same text, a missing last newline aside."""
    if one is None or other is None:
        return one is other
    if one is other:
        return True
    if (one.column, one.inline) != (other.column, other.inline) and (
        one.tile.count("\n") > 1 or other.tile.count("\n") > 1
    ):
        return False
    first, second = one.tile, other.tile
    if first == second or (first.endswith("\n") and second.endswith("\n")):
        return first == second
    # Only a text's last line can lack its newline, which is data in a block scalar.
    return first.removesuffix("\n") == second.removesuffix("\n") and (
        one.value is None or other.value is None or one.value.data == other.value.data
    )


def variant_of(element: Element | None, column: int | None = None) -> Variant:
    """An entry as conflict records show it: whole lines, in its own column or in `column`."""
    if element is None:
        return ABSENT
    text = full_lines(element, element.column if column is None else column)
    value = json_value(element.value)
    start = element.lead if not element.inline else element.start
    return Variant(True, value, text, element.source.span(start, element.end))  # noqa: FBT003


def lead_variant(element: Element | None) -> Variant:
    """The comment lines of an entry as conflict records show them; no data."""
    text = "" if element is None else element.lead_text
    if element is None or not text:
        return ABSENT
    span = element.source.span(element.lead, element.lead + len(text))
    return Variant(True, None, text, span)  # noqa: FBT003


def union_variant(elements: Sequence[Element], column: int) -> Variant:
    """A stretch of entries as conflict records show it."""
    if not elements:
        return ABSENT
    text = "".join(full_lines(element, column) for element in elements)
    value = [json_value(each.value) for each in elements if each.value is not None]
    source = elements[0].source
    span = source.span(elements[0].lead, elements[-1].end)
    return Variant(True, value, text, span)  # noqa: FBT003


def _flow_elements(node: Node) -> Elements | None:
    """The items of a flow collection; None where comments stand in it."""
    items: list[Element] = []
    source = node.source
    pairs: list[tuple[Node | None, Node]] = (
        list(node.pairs()) if node.kind == "mapping" else [(None, each) for each in node.children]
    )
    at = node.start
    for key, value in pairs:
        start = value.start if key is None else key.start
        end = value.end if key is None else max(key.end, value.end)
        if "#" in source.text[at:start]:
            return None
        if key is not None and source.text[:start].rstrip().endswith("?"):
            return None
        element = Element(source, 0, start, start, start, end, key, value)
        element.inline = element.flow = True
        items.append(element)
        at = end
    if "#" in source.text[at : node.end]:
        return None
    return Elements(items, "")
