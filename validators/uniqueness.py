"""Uniqueness: no two elements of a list have the same id.

Without configuration: the root's `tasks`, where all its elements have `id` (or all `task_id`) as
text or integer. A list where some element has none is no keyed list, and not judged; a list that
only refers to others may name one twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

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
        for at, found in _lists(candidate.merged, ""):
            for each in _DEFAULT if declared is None else declared:
                if _matches(each["path"], at):
                    yield from _repeated(at, found, each["field"], every=declared is None)


def _lists(value: Any, at: str) -> Iterator[tuple[str, list[Any]]]:  # noqa: ANN401
    if isinstance(value, list):
        yield at, value
        for index, each in enumerate(value):
            yield from _lists(each, below(at, index))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _lists(each, below(at, key))


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


def _matches(pattern: str, pointer: str) -> bool:
    wanted, tokens = pattern.split("/"), pointer.split("/")
    return len(wanted) == len(tokens) and all(
        want in {"*", have} for want, have in zip(wanted, tokens, strict=True)
    )
