"""Origins by their paths: which one a leaf lies on or below, without looking at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bps.merge.differences import Path
from bps.merge.records import Origin

WILD = ("-", "#-")
"""The segments that stand for a list's new element, whichever it is."""


class _Step:
    """One path's end; `index` is that of the first origin there, None where there is none."""

    __slots__ = ("below", "index")

    def __init__(self) -> None:
        self.below: dict[str, _Step] = {}
        self.index: int | None = None


class OriginTree:
    """Origins in their order. Cost: a step for each segment of each path."""

    def __init__(self, origins: Sequence[Origin]) -> None:
        self._origins = origins
        self._root = _Step()
        self._first: list[int] = []
        for index, origin in enumerate(origins):
            step = self._root
            for segment in segments(origin.path):
                step = step.below.setdefault(segment, _Step())
            if step.index is None:
                step.index = index
            self._first.append(step.index)

    def nearest(self, leaf: Path) -> Origin | None:
        """The origin with the longest path that `leaf` lies on or below, the first of several."""
        found = None
        for steps in self._down(leaf):
            at = [step.index for step in steps if step.index is not None]
            found = min(at) if at else found
        return None if found is None else self._origins[found]

    def above(self, leaves: Iterable[Path]) -> frozenset[int]:
        """Which origins any of `leaves` lies on or below, as `at` counts them."""
        return frozenset(
            step.index
            for leaf in leaves
            for steps in self._down(leaf)
            for step in steps
            if step.index is not None
        )

    def leads(self, path: Path) -> bool:
        """Whether `path` is that of an origin, or of something that holds one."""
        steps = [self._root]
        for segment in path:
            if segment in WILD:
                steps = [below for step in steps for below in step.below.values()]
            else:
                steps = [step.below[segment] for step in steps if segment in step.below]
        return bool(steps)

    def at(self, index: int) -> int:
        """The first origin with the path of origin `index`."""
        return self._first[index]

    def _down(self, leaf: Path) -> Iterator[list[_Step]]:
        """The paths that lead to `leaf`, by length."""
        steps = [self._root]
        yield steps
        for segment in leaf:
            names = {segment, *WILD}
            steps = [
                step.below[name]
                for step in steps
                if step.below
                for name in names
                if name in step.below
            ]
            if not steps:
                return
            yield steps


def segments(pointer: str) -> Path:
    """A JSON Pointer's, still escaped."""
    return tuple(pointer.split("/")[1:])
