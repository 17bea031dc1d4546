"""How a place is merged: declared by path, in a policy or as `x-merge` in a JSON Schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bps.merge.named_tuple import NamedTuple

ATOMIC = "atomic"
SET = "set"
KEYED = "keyed"
ORDERED = "ordered"
TEXT = "text"
MAX = "max"
NAMES = (ATOMIC, SET, KEYED, ORDERED, TEXT, MAX)
ORDERS = ("semver", "date", "int")
"""What `max` compares by."""


class Strategy(NamedTuple):
    """One strategy: `name`, with the key `fields` of `keyed` or the `order` of `max`."""

    name: str
    fields: tuple[str, ...] = ()
    order: str = ""

    def __str__(self) -> str:
        """As a policy file writes it: `keyed: [id]`."""
        if self.fields:
            return f"{self.name}: [{', '.join(self.fields)}]"
        return f"{self.name}: {self.order}" if self.order else self.name


class _Node:
    """One segment of the declared patterns: what is declared here, and the segments after it."""

    __slots__ = ("alone", "named", "strategy", "wild")

    def __init__(self) -> None:
        self.alone = False
        self.strategy: Strategy | None = None
        self.named: dict[str, _Node] = {}
        self.wild: _Node | None = None

    def declares(self) -> bool:
        """Whether it is more than a place that stands alone with nothing declared."""
        return self.strategy is not None or bool(self.named) or self.wild is not None

    def reach(self, pattern: str) -> _Node:
        """Return the node of a pattern, made on the way where it is not there."""
        node = self
        for segment in pattern.split("/")[1:]:
            if segment == "*":
                node.wild = node = node.wild or _Node()
            else:
                node = node.named.setdefault(segment, _Node())
        return node


class Cursor:
    """What is declared at one place and below it; `bool` tells whether there is anything.

    It stands on all patterns that agree with the path so far, the most specific one first.
    """

    __slots__ = ("_nodes", "_other", "_steps", "strategy")

    def __init__(self, nodes: tuple[_Node, ...]) -> None:
        self._nodes = nodes
        self.strategy: Strategy | None = next(
            (node.strategy for node in nodes if node.strategy is not None), None
        )
        self._steps: dict[str, Cursor] = {}
        self._other: Cursor | None = None

    def __bool__(self) -> bool:
        """Whether anything is declared here or below."""
        return bool(self._nodes)

    def child(self, segment: str) -> Cursor:
        """Step to a key or element, given as an escaped pointer segment. Cost: one look-up."""
        step = self._steps.get(segment)
        if step is None:
            step = self._step(segment)
        return step

    def _step(self, segment: str) -> Cursor:
        if not self._nodes:
            return self
        named = any(segment in node.named for node in self._nodes)
        if not named and self._other is not None:
            return self._other
        nodes: list[_Node] = []
        for node in self._nodes:
            own = node.named.get(segment)
            if own is not None and own.declares():
                nodes.append(own)
            if node.wild is not None and not (own is not None and own.alone):
                nodes.append(node.wild)
        step = Cursor(tuple(nodes)) if nodes else EMPTY
        # Only segments that a pattern names are kept: a list of a million elements costs nothing.
        if named:
            self._steps[segment] = step
        else:
            self._other = step
        return step


EMPTY = Cursor(())
"""Where nothing is declared, nor below: its children are itself."""


class Strategies:
    """Declared strategies by path pattern.

    A pattern is a JSON Pointer whose segment `*` stands for any one key or element. The most
    specific one decides: compared from the left, a literal segment beats `*`. For the places of
    `alone`, patterns with `*` in the place of their last segment say nothing, nor below them.
    """

    __slots__ = ("root",)

    def __init__(
        self, declared: Mapping[str, Strategy] | None = None, alone: Collection[str] = ()
    ) -> None:
        self.root = EMPTY
        if declared:
            top = _Node()
            for pattern, strategy in declared.items():
                top.reach(pattern).strategy = strategy
            for pattern in alone:
                top.reach(pattern).alone = True
            self.root = Cursor((top,))

    def __bool__(self) -> bool:
        """Whether any is declared."""
        return bool(self.root)

    def at(self, path: tuple[str, ...]) -> Strategy | None:
        """The declared strategy of a place, whose path is given as escaped pointer segments."""
        cursor = self.root
        for segment in path:
            cursor = cursor.child(segment)
        return cursor.strategy
