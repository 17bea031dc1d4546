"""Random edits of any YAML text as splices, so that what should stay is known byte for byte."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_IDENTITIES = ("id", "name", "key", "task_id")
_REPLACED, _INSERTED, _DELETED = 8, 4, 2
"""Most edits of each kind a side."""


class Splice(NamedTuple):
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """Apply splices that do not overlap."""
    parts, at = list[str](), 0
    for start, end, new in sorted(splices):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def kept_share(text: str, splices: Sequence[Splice], result: str) -> tuple[int, int]:
    """Characters outside the splices on lines that `result` has as they should be; and all of them.

    Lines are compared with those of the spliced text, in order, so a line that moved counts as
    lost, and one with a byte more too.
    """
    outside = [0]
    at = 0
    for start, end, new in [*sorted(splices), Splice(len(text), len(text), "")]:
        for piece, weight in ((text[at:start], 1), (new, 0)):
            for number, part in enumerate(piece.split("\n")):
                if number:
                    outside[-1] += weight
                    outside.append(0)
                outside[-1] += len(part) * weight
        at = end
    wanted = spliced(text, splices).split("\n")
    same = SequenceMatcher(None, wanted, result.split("\n"), autojunk=False).get_matching_blocks()
    return sum(sum(outside[each.a : each.a + each.size]) for each in same), sum(outside)


def two_sides(text: str, source: random.Random) -> tuple[list[Splice], list[Splice]]:
    """Edits of two sides: values, new keys, deleted list elements; no two in one place.

    Nothing with an anchor or an alias is edited, no identity, and nothing in a list whose elements
    have none: what two sides do there may rightly be a conflict.
    """
    places = _Places(text)
    for root in YAML(typ="safe").compose_all(text):
        places.walk(root)
    deleted = source.sample(places.elements, min(2 * _DELETED, len(places.elements) // 4))
    gone = [range(splice.start, splice.end + 1) for splice in deleted]

    def free(splices: Sequence[Splice], most: int) -> list[Splice]:
        left = [each for each in splices if not any(each.start in area for area in gone)]
        return source.sample(left, min(most, len(left)))

    replaced = free(places.values, 2 * _REPLACED)
    used = {splice.end for splice in replaced}
    inserts = [each for each in places.keys if each.start not in used]
    inserted = free(inserts, 2 * _INSERTED)
    chosen = (deleted, replaced, inserted)
    return [s for each in chosen for s in each[::2]], [s for each in chosen for s in each[1::2]]


class _Places:
    """Where a text may be edited."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: list[Splice] = []
        self.keys: list[Splice] = []
        self.elements: list[Splice] = []

    def walk(self, node: Node) -> None:
        """Gather what is below a node that may be edited itself."""
        if isinstance(node, SequenceNode) and _identified(node):
            if not node.flow_style:
                self.elements += self._elements(node.value)
            for item in node.value:
                self.walk(item)
        elif isinstance(node, MappingNode):
            self._mapping(node)

    def _mapping(self, node: MappingNode) -> None:
        last: Splice | None = None
        for key, value in node.value:
            source = self.text[key.start_mark.index : value.end_mark.index]
            if "&" in source or "*" in source:
                continue
            if not isinstance(value, ScalarNode):
                self.walk(value)
            elif "\n" not in source and value.value and key.value not in _IDENTITIES:
                self.values.append(self._value(value))
                if not node.flow_style:
                    margin = " " * key.start_mark.column
                    end = self._line_end(value.end_mark.index)
                    last = Splice(end, end, f"{margin}added_by_a_side: {len(self.keys)}\n")
        if last is not None and self.text[last.start - 1] == "\n":
            self.keys.append(last)

    def _value(self, node: ScalarNode) -> Splice:
        start, end = node.start_mark.index, node.end_mark.index
        if node.style in {"'", '"'}:
            return Splice(end - 1, end - 1, " changed")
        return Splice(start, end, f"changed {node.value}")

    def _elements(self, items: Sequence[Node]) -> Iterator[Splice]:
        """Elements whose lines can go: not the last, no comment behind, no neighbours."""
        starts = [self.text.rfind("\n", 0, item.start_mark.index) + 1 for item in items]
        for at in range(0, len(items) - 1, 2):
            stretch = self.text[starts[at] : starts[at + 1]]
            if not set("#&*") & set(stretch):
                yield Splice(starts[at], starts[at + 1], "")

    def _line_end(self, index: int) -> int:
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1


def _identified(node: SequenceNode) -> bool:
    """Whether one field tells all elements apart."""
    rows = [
        {key.value: value.value for key, value in item.value if isinstance(value, ScalarNode)}
        for item in node.value
        if isinstance(item, MappingNode)
    ]
    return len(rows) == len(node.value) > 0 and any(
        len({row.get(field) for row in rows} - {None}) == len(rows) for field in _IDENTITIES
    )
