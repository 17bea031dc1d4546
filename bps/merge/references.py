"""The anchors and aliases of one version, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

from bps.merge.source import Node, Source


class References:
    """What a version's anchors and aliases are, in the order in which they were found."""

    __slots__ = ("_uses", "aliases", "anchored", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.anchored = _by_name((str(each.anchor), each) for each in source.anchored)
        self.aliases = _by_name((each.value, each) for each in source.aliases)
        self._uses: dict[str, Counter[str]] | None = None

    @property
    def uses(self) -> dict[str, Counter[str]]:
        """The lines, without indent, that hold the aliases of each name; found once."""
        if self._uses is None:
            self._uses = {
                name: Counter(line_of(alias) for alias in found)
                for name, found in self.aliases.items()
            }
        return self._uses

    def nodes(self, name: str) -> list[Node]:
        """The anchors of a name, then its aliases."""
        return [*self.anchored.get(name, ()), *self.aliases.get(name, ())]

    def anchored_data(self) -> dict[str, list[Hashable]]:
        """What the anchors of each name stand for."""
        return {name: [node.data for node in found] for name, found in self.anchored.items()}

    def in_order(self, name: str) -> list[Hashable]:
        """What the anchors of a name stand for, and None for each alias, as they follow."""
        anchored = {id(node) for node in self.anchored.get(name, ())}
        found = sorted(self.nodes(name), key=lambda node: node.start)
        return [node.data if id(node) in anchored else None for node in found]


def line_of(alias: Node) -> str:
    """The line that holds an alias, without indent."""
    source = alias.source
    return source.text[source.line_start(alias.start) : source.line_end(alias.start)].strip()


def _by_name(named: Iterable[tuple[str, Node]]) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for name, node in named:
        found.setdefault(name, []).append(node)
    return found
