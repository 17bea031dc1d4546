"""How the elements of a collection are known again in another version."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from bps.merge.data import json_value
from bps.merge.elements import Element
from bps.merge.source import SCALAR, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Keyed(Protocol):
        """An element, or the lines of one."""

        @property
        def value(self) -> Node | None:
            """What it holds."""

        @property
        def key(self) -> Node | None:
            """A mapping's key."""


FIELDS = ("id", "name", "key", "task_id")
"""Fields that identify the elements of a list that declares nothing (design, "Merge")."""

Identify = Callable[[Element], Hashable]


def key_of(element: Element) -> Node:
    """The key of a mapping's entry."""
    assert element.key is not None  # noqa: S101 - entries of mappings have keys
    return element.key


def by_key(element: Element) -> Hashable:
    """A mapping's entry: by its key."""
    return key_of(element).data


def by_value(element: Element) -> Hashable:
    """An element of a set: by what it is."""
    assert element.value is not None  # noqa: S101 - detached comments are left out
    return element.value.data


def by_fields(fields: Sequence[str]) -> Callable[[Keyed], Hashable]:
    """An element of a keyed list: by the values of its key fields."""
    known: dict[Node, Hashable] = {}

    def identify(element: Keyed) -> Hashable:
        assert element.value is not None  # noqa: S101 - detached comments are left out
        # Versions share models, and every element is asked for more than once.
        model = element.value.model
        found = known.get(model)
        if found is None:
            found = known[model] = identity_of(element, fields)
        return found

    return identify


def identity_of(element: Keyed, fields: Sequence[str]) -> Hashable:
    """The values of the key fields, or None where one is missing or no scalar."""
    found = []
    for field in fields:
        data = None if element.value is None else element.value.scalar_member(field)
        if data is None:
            return None
        found.append(data)
    return tuple(found)


def identity_shown(element: Element, fields: Sequence[str]) -> dict[str, Any]:
    """The key fields as a conflict record shows them."""
    value = element.value
    return {field: json_value(None if value is None else value.member(field)) for field in fields}


def unique(entries: Sequence[Keyed], identify: Callable[..., Hashable]) -> bool:
    """Whether every element has an identity, and no two the same one."""
    seen = set()
    for each in entries:
        identity = identify(each)
        if identity is None or identity in seen:
            return False
        seen.add(identity)
    return True


def undeclared_fields(versions: Sequence[Sequence[Keyed]]) -> tuple[str, ...]:
    """The one field that identifies every element of all versions; () where there is none."""
    if not any(versions):
        return ()
    for field in FIELDS:
        identify = by_fields((field,))
        if all(unique(entries, identify) for entries in versions):
            return (field,)
    return ()


def is_set(versions: Sequence[Sequence[Element]]) -> bool:
    """Whether all versions hold unique scalars only, and none changed the order of the first."""
    orders = []
    for entries in versions:
        if any(each.value is None or each.value.kind != SCALAR for each in entries):
            return False
        order = [by_value(each) for each in entries]
        if len(set(order)) != len(order):
            return False
        orders.append(order)
    first = orders[0]
    for order in orders[1:]:
        common = set(first) & set(order)
        if [e for e in first if e in common] != [e for e in order if e in common]:
            return False
    return True


def escaped(key: Node) -> str:
    """A mapping's key as a segment of a JSON Pointer (RFC 6901)."""
    text = key.value if key.kind == SCALAR else key.text
    return text.replace("~", "~0").replace("/", "~1")
