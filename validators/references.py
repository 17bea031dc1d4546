"""Reference integrity: what tasks depend on is there, and no task waits for itself.

It says nothing where a blueprint does not use the fields: a list of mappings under `tasks`, each
with an id, and `depends_on` as a list of texts. Other shapes are left to a JSON Schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from bps.validation.api import Candidate, Finding, Severity, Validator
from validators import pointer

ERROR = Severity.ERROR
_Place = tuple[str | int, ...]
"""Below the list: the tokens of a JSON Pointer."""
_DEFAULT: Mapping[str, Any] = {
    "list": "tasks",
    "id": ["id", "task_id"],
    "references": ["depends_on"],
}


class References(Validator):
    """`config`: `list` (a root key); `id` and `references`: keys of its elements, `id`s by rank."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "list": {"type": "string"},
            "id": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "references": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
    }

    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """Unknown targets, and one finding for each cycle."""
        config = {**_DEFAULT, **candidate.config}
        graph = Graph(candidate.merged, config["list"], config["id"], config["references"])
        yield from graph.dangling()
        yield from graph.cycles()


class Graph:
    """Who refers to whom; only elements with a text as id are nodes."""

    def __init__(self, root: Any, name: str, ids: list[str], fields: list[str]) -> None:  # noqa: ANN401
        self._name = name
        elements = root.get(name)
        self._edges: dict[str, list[tuple[str, _Place]]] = {}
        """By id: the ids it refers to, each with its place."""
        for index, element in enumerate(elements if isinstance(elements, list) else []):
            own = _id_of(element, ids)
            if own is not None:
                self._edges.setdefault(own, []).extend(_references(element, index, fields))

    def dangling(self) -> Iterator[Finding]:
        """References to ids that no element has."""
        for own, edges in self._edges.items():
            for target, place in edges:
                if target not in self._edges:
                    yield Finding(
                        ERROR,
                        self._pointer(place),
                        "unknown-reference",
                        f"{own} refers to {target}, which {self._name} does not hold.",
                        "Add it, or take the reference out.",
                    )

    def cycles(self) -> Iterator[Finding]:
        """Each strongly connected group that waits for itself, by one way around it."""
        done: set[str] = set()
        for start in self._edges:
            if start in done:
                continue
            way: list[str] = [start]
            on_way = {start: 0}
            open_edges = [iter(self._edges[start])]
            while way:
                target, place = next(open_edges[-1], ("", ()))
                if not place:
                    done.add(way[-1])
                    del on_way[way.pop()]
                    open_edges.pop()
                elif target in on_way:
                    around = " -> ".join([*way[on_way[target] :], target])
                    yield Finding(
                        ERROR,
                        self._pointer(place),
                        "dependency-cycle",
                        f"These wait for each other: {around[:1_000]}.",
                        "Take one of the references out.",
                    )
                elif target in self._edges and target not in done:
                    on_way[target] = len(way)
                    way.append(target)
                    open_edges.append(iter(self._edges[target]))

    def _pointer(self, place: _Place) -> str:
        return pointer.of([self._name, *place])


def _id_of(element: Any, fields: list[str]) -> str | None:  # noqa: ANN401 - any data
    """The first of the fields that is a text."""
    for field in fields if isinstance(element, dict) else ():
        if isinstance(found := element.get(field), str):
            return found
    return None


def _references(
    element: dict[str, Any], at: int, fields: list[str]
) -> Iterator[tuple[str, _Place]]:
    for field in fields:
        value = element.get(field)
        if isinstance(value, str):
            yield value, (at, field)
        elif isinstance(value, list):
            for index, target in enumerate(value):
                if isinstance(target, str):
                    yield target, (at, field, index)
