"""Locked fields: what the canonical blueprint locks keeps its value.

Two ways to lock, in any mapping of the base: a field named `_locked_NAME` is locked itself, and
`_NAME_locked: true` locks its sibling NAME and itself. So no promotion lifts a lock; for that an
operator takes this validator out of the policy. What the base does not lock may be locked freely.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bps.validation.api import Candidate, Finding, Severity, Validator
from validators.pointer import below

_PREFIX, _SUFFIX = "_locked_", "_locked"
_IDS = ("id", "task_id", "name", "key")


class LockedFields(Validator):
    """No configuration."""

    def validate(self, candidate: Candidate) -> Iterable[Finding]:
        """One finding for each locked field that was changed or removed."""
        if candidate.base is not None:
            yield from _compare(candidate.base, candidate.merged, "")


def _compare(base: Any, merged: Any, pointer: str) -> Iterator[Finding]:  # noqa: ANN401
    if isinstance(base, dict):
        yield from _compare_mapping(base, merged if isinstance(merged, dict) else {}, pointer)
    elif isinstance(base, list):
        new = merged if isinstance(merged, list) else []
        for before, at in _pairs(base, new):
            after = None if at is None else new[at]
            yield from _compare(before, after, pointer if at is None else below(pointer, at))


def _compare_mapping(
    base: dict[str, Any], merged: dict[str, Any], pointer: str
) -> Iterator[Finding]:
    locked = set(_locked(base))
    for key, before in base.items():
        at = below(pointer, key)
        if key not in locked:
            yield from _compare(before, merged.get(key), at)
        elif key not in merged:
            yield _finding(at, f"{key} is locked and was removed.")
        elif not same(before, merged[key]):
            yield _finding(at, f"{key} is locked and was changed.")
    for key in sorted(locked - base.keys()):
        # A lock on what is not there keeps it from being added.
        if key in merged:
            yield _finding(below(pointer, key), f"{key} is locked and was added.")


def _locked(mapping: dict[str, Any]) -> Iterator[str]:
    for key, value in mapping.items():
        if key.startswith(_PREFIX) and len(key) > len(_PREFIX):
            yield key
        elif key.startswith("_") and key.endswith(_SUFFIX) and value is True:
            name = key[1 : -len(_SUFFIX)]
            if name:
                yield key
                yield name


def _pairs(base: list[Any], merged: list[Any]) -> Iterator[tuple[Any, int | None]]:
    """Each element of the base with its place in the result: by its id, else by its position."""
    field = next((name for name in _IDS if _keyed(base, name) and _keyed(merged, name)), None)
    if field is None:
        for index, element in enumerate(base):
            yield element, index if index < len(merged) else None
        return
    places = {element[field]: index for index, element in enumerate(merged)}
    for element in base:
        yield element, places.get(element[field])


def _keyed(elements: list[Any], field: str) -> bool:
    ids = [each.get(field) if isinstance(each, dict) else None for each in elements]
    return all(isinstance(each, str) for each in ids) and len(set(ids)) == len(ids)


def same(before: Any, after: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same data: true is not 1, and 1 is not 1.0."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(same(v, after[k]) for k, v in before.items())
    if isinstance(before, list):
        return len(before) == len(after) and all(map(same, before, after))
    return bool(before == after)


def _finding(pointer: str, message: str) -> Finding:
    hint = "Take the change out; locks hold as long as the policy asks for this validator."
    return Finding(Severity.ERROR, pointer, "locked-field", message, hint)
