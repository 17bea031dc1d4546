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
        if not _may_lock(candidate.base_text):
            return
        holding: set[int] = set()
        if _note_holding(candidate.base, holding):
            yield from _compare(candidate.base, candidate.merged, "", holding)


def _may_lock(text: str | None) -> bool:
    """Whether a key of the blueprint can be a lock; an escape could hide its name in the text."""
    return text is None or "_locked" in text or "\\" in text


def _note_holding(value: Any, holding: set[int]) -> bool:  # noqa: ANN401
    """Whether a lock is anywhere in `value`; `holding` gets the identities of those with one."""
    held = False
    if isinstance(value, dict):
        held = next(_locked(value), None) is not None
        for each in value.values():
            if isinstance(each, dict | list) and _note_holding(each, holding):
                held = True
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list) and _note_holding(each, holding):
                held = True
    if held:
        holding.add(id(value))
    return held


def _compare(base: Any, merged: Any, pointer: str, holding: set[int]) -> Iterator[Finding]:  # noqa: ANN401
    if id(base) not in holding:
        return
    if isinstance(base, dict):
        new = merged if isinstance(merged, dict) else {}
        yield from _compare_mapping(base, new, pointer, holding)
    elif isinstance(base, list):
        elements = merged if isinstance(merged, list) else []
        for before, at in _pairs(base, elements):
            after = None if at is None else elements[at]
            there = pointer if at is None else below(pointer, at)
            yield from _compare(before, after, there, holding)


def _compare_mapping(
    base: dict[str, Any], merged: dict[str, Any], pointer: str, holding: set[int]
) -> Iterator[Finding]:
    locked = set(_locked(base))
    for key, before in base.items():
        at = below(pointer, key)
        if key not in locked:
            yield from _compare(before, merged.get(key), at, holding)
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
