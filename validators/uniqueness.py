"""Uniqueness: no two elements of a list have the same id.

Without configuration: the root's `tasks`, where all its elements have `id` (or all `task_id`) as
text or integer. A list where some element has none is no keyed list, and not judged; a list that
only refers to others may name one twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

from bps.validation.api import Candidate, Finding, Severity, Validator
from validators.pointer import below

_DEFAULT = [{"path": "/tasks", "field": "id"}, {"path": "/tasks", "field": "task_id"}]


class Uniqueness(Validator):
    """`config`: `lists`, each a `path` (a JSON Pointer; `*` is any one token) and its `field`."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "lists": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["path", "field"],
                    "properties": {
                        "path": {"type": "string", "pattern": "^/"},
                        "field": {"type": "string"},
                    },
                },
            }
        },
    }

    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """One finding for each element that repeats an earlier one's id."""
        declared = candidate.config.get("lists")
        every = declared is None
        rules = [
            _Rule(tuple(each["path"].split("/")[1:]), each["field"])
            for each in (_DEFAULT if declared is None else declared)
        ]
        for at, found, due in _lists(candidate.merged, "", rules):
            for rule in due:
                yield from _repeated(at, found, rule.field, every=every)


class _Rule(NamedTuple):
    """`tokens` are those of the path that lie below the value at hand."""

    tokens: tuple[str, ...]
    field: str


def _lists(
    value: Any,  # noqa: ANN401
    at: str,
    rules: list[_Rule],
) -> Iterator[tuple[str, list[Any], list[_Rule]]]:
    """The lists that rules name, in their order in the blueprint; only ways to them are gone."""
    if not isinstance(value, dict | list):
        return
    deeper = [rule for rule in rules if rule.tokens]
    if isinstance(value, list) and len(deeper) < len(rules):
        yield at, value, [rule for rule in rules if not rule.tokens]
    if not deeper:
        return
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        token = below("", key)[1:]
        due = [
            _Rule(rule.tokens[1:], rule.field) for rule in deeper if rule.tokens[0] in {"*", token}
        ]
        if due:
            yield from _lists(each, f"{at}/{token}", due)


def _repeated(at: str, found: list[Any], field: str, *, every: bool) -> Iterator[Finding]:
    ids = [each.get(field) if isinstance(each, dict) else None for each in found]
    if every and not all(isinstance(each, str | int) for each in ids):
        return
    first: dict[tuple[type, str], int] = {}
    for index, own in enumerate(ids):
        if not isinstance(own, str | int | float):
            continue
        before = first.setdefault((type(own), str(own)), index)
        if before != index:
            yield Finding(
                Severity.ERROR,
                below(at, index, field),
                "not-unique",
                f"{field} {own} is already that of element {before}.",
                "Give each element an id of its own.",
            )
