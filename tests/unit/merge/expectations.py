"""What a merge must come to, by the paths of three versions and what is declared for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bps.merge.strategies import ATOMIC, EMPTY, KEYED, MAX, ORDERED, SET, Cursor
from tests.unit.merge.oracles import Mark, frozen, is_scalar, known_again, name_of

MISSING = Mark("missing")
"""Nothing at a place."""
CONTESTED = Mark("contested")
"""Two editors want two things."""
OPEN = Mark("open")
"""The oracle does not say."""

_ORDERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "int": (re.compile(r"0|[1-9]\d*"), int),
    "semver": (
        re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"),
        lambda text: tuple(map(int, text.split("."))),
    ),
    "date": (re.compile(r"2026-01-(?:0[1-9]|[12]\d|3[01])"), str),
}


def three_way(versions: Sequence[Any], cursor: Cursor = EMPTY) -> Any:
    """What a merge must give, by paths alone; CONTESTED and OPEN where it is not for an oracle.

    Order is left out: a keyed list comes out as a dict by identity, a declared set as a set.
    """
    base, one, other = versions
    if _equal(one, base):
        return other
    if _equal(other, base) or _equal(one, other):
        return one
    declared = cursor.strategy
    name = "" if declared is None else declared.name
    if name == ATOMIC:
        return CONTESTED
    if all(isinstance(each, dict) for each in versions):
        return _members(versions, lambda key: cursor.child(_segment(key)))
    if all(isinstance(each, tuple) and not is_scalar(each) for each in versions):
        return _lists(versions, cursor)
    if name == MAX and declared is not None and all(is_scalar(each) for each in versions):
        return _greatest(declared.order, one, other)
    # Declared as something else than text, a block scalar is one value as any other.
    texts = all(is_scalar(each) and each[1].endswith("|") for each in versions)
    return OPEN if texts and name in {"", "text"} else CONTESTED


def _members(versions: Sequence[dict[Any, Any]], below: Callable[[Any], Cursor]) -> dict[Any, Any]:
    """What stands under each key, or identity.

    One that both lack and one that both added, each with other contents, are one that both gave
    the same new name; where several are gone, the oracle does not say which of them it was.
    """
    base, one, other = versions
    gone = [value for key, value in base.items() if key not in one and key not in other]
    merged: dict[Any, Any] = {}
    for key in dict.fromkeys([*base, *one, *other]):
        trees = [each.get(key, MISSING) for each in versions]
        merged[key] = three_way(trees, below(key))
        if merged[key] is CONTESTED and trees[0] is MISSING and gone:
            renamed = [three_way([value, *trees[1:]], below(key)) for value in gone]
            settled = [each for each in renamed if not find(each, CONTESTED)]
            if settled:
                merged[key] = settled[0] if len(gone) == 1 else OPEN
    return {key: value for key, value in merged.items() if value is not MISSING}


def _segment(key: Any) -> str:
    text = key[2] if is_scalar(key) else str(key)
    return str(text).replace("~", "~0").replace("/", "~1")


def _lists(versions: Sequence[Any], cursor: Cursor) -> Any:
    declared = cursor.strategy
    name = "" if declared is None else declared.name
    if name == SET:
        return _union(versions)
    if name == KEYED and declared is not None:
        fields = declared.fields
        by_fields = [_by_fields(tree, fields) for tree in versions]
        if any(each is None for each in by_fields):
            return CONTESTED
    elif name != ORDERED and (field := known_again(tuple(versions))):
        fields = (field,)
        by_fields = [_by_fields(tree, fields) for tree in versions]
    else:
        return CONTESTED if _same_gap(*versions, united=name != ORDERED) else OPEN
    base, one, other = by_fields
    # The element's own place comes between the list and its fields: any one has the same.
    assert base is not None and one is not None and other is not None  # noqa: PT018
    below = cursor.child("-")
    return ("keyed", fields, _members((base, one, other), lambda _: below))


def _by_fields(tree: Any, fields: Sequence[str]) -> dict[Any, Any] | None:
    """A list's elements by their fields; None where one lacks some, or two have the same."""
    found: dict[Any, Any] = {}
    for each in tree:
        ident = ident_of(each, fields)
        if ident is None or ident in found:
            return None
        found[ident] = each
    return found


def ident_of(element: Any, fields: Sequence[str]) -> Any:
    """What identifies an element by its fields; None where it lacks some."""
    if not isinstance(element, dict):
        return None
    values = [element.get(name_of(field)) for field in fields]
    return None if None in values else tuple(frozen(each) for each in values)


def _union(versions: Sequence[Any]) -> Any:
    """A declared set: what no editor took away, and what each one added."""
    listed = [[frozen(each) for each in tree] for tree in versions]
    if any(len(set(each)) < len(each) for each in listed):
        return CONTESTED
    base, one, other = (set(each) for each in listed)
    return ("set", frozenset((base & one & other) | (one - base) | (other - base)))


def _greatest(order: str, one: Any, other: Any) -> Any:
    form, size = _ORDERS[order]
    if not form.fullmatch(one[2]) or not form.fullmatch(other[2]):
        return OPEN
    return max((one, other), key=lambda each: size(each[2]))


def _same_gap(base: Any, one: Any, other: Any, *, united: bool) -> bool:
    """Whether both put different elements into one gap of a list; a set of scalars is `united`."""
    trees = [each for version in (base, one, other) for each in version]
    if united and all(is_scalar(each) for each in trees):
        return False
    mine, its = _insertions(base, one), _insertions(base, other)
    return any(mine[gap] != its[gap] for gap in mine.keys() & its.keys())


def _insertions(base: Any, side: Any) -> dict[int, list[Any]]:
    """What stands in each gap of the base, where a side did nothing but insert; else nothing."""
    known = [frozen(each) for each in base]
    if len(set(known)) < len(known):
        return {}
    found: dict[int, list[Any]] = {}
    at = 0
    for each in map(frozen, side):
        if at < len(known) and each == known[at]:
            at += 1
        else:
            found.setdefault(at, []).append(each)
    return found if at == len(known) else {}


def _equal(one: Any, other: Any) -> bool:
    if one is MISSING or other is MISSING:
        return one is other
    return bool(frozen(one) == frozen(other))


def find(expected: Any, what: Mark) -> bool:
    """Whether a mark is anywhere in what `three_way` gave."""
    if isinstance(expected, Mark):
        return expected is what
    if isinstance(expected, dict):
        return any(find(value, what) for value in expected.values())
    return isinstance(expected, tuple) and any(find(each, what) for each in expected)


def matches(result: Any, expected: Any) -> bool:
    """Whether a tree is what `three_way` gave, wherever that says something."""
    if expected is OPEN:
        return True
    if isinstance(expected, tuple) and len(expected) == 3 and expected[0] == "keyed":
        _, fields, members = expected
        if not isinstance(result, tuple) or is_scalar(result):
            return False
        own = _by_fields(result, fields)
        return own is not None and matches(own, members)
    if isinstance(expected, tuple) and len(expected) == 2 and expected[0] == "set":
        listed = [frozen(each) for each in result] if not is_scalar(result) else []
        return len(set(listed)) == len(listed) and set(listed) == expected[1]
    if isinstance(expected, dict):
        return (
            isinstance(result, dict)
            and result.keys() == expected.keys()
            and all(matches(result[key], value) for key, value in expected.items())
        )
    return not isinstance(expected, Mark) and _equal(result, expected)
