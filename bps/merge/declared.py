"""Strategies as people write them: by path in a policy, or a file for `bps merge --policy`.

`docs/merge-policy.md` explains the forms; `x-merge` in a JSON Schema is read by `x_merge`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from bps.merge.strategies import KEYED, MAX, NAMES, ORDERS, Strategies, Strategy

SECTION = "strategies"
"""The key of a policy file that holds strategies by path."""

_WITH_ARGUMENT = re.compile(r"\s*(\w+)\s*:\s*(.*?)\s*", re.DOTALL)
_IN_BRACKETS = re.compile(r"\[(.*)\]", re.DOTALL)
_BAD_ESCAPE = re.compile(r"~(?![01])")
_FORMS = "atomic, set, ordered, text, keyed: [field, ...], max: semver, max: date, max: int"


def from_policy(declared: Mapping[Any, Any]) -> Strategies:
    """Read strategies by path pattern, as a policy maps them.

    A pattern is a JSON Pointer (RFC 6901) in which the segment `*` stands for any one key or
    element. A strategy is a name, or a name with its argument: `{"keyed": ["id"]}`, `keyed: [id]`.

    Raises:
        InvalidInput: a pattern is no JSON Pointer; a strategy or order is unknown, lacks its
            argument or has one too many. fact: field, the pattern.
    """
    found: dict[str, Strategy] = {}
    for pattern, value in declared.items():
        if not isinstance(pattern, str) or (pattern and not pattern.startswith("/")):
            what = "a pattern is a JSON Pointer: empty for the root, else it begins with /"
            refuse(str(pattern), what)
        if _BAD_ESCAPE.search(pattern):
            refuse(pattern, "in a JSON Pointer ~ is written ~0 and a / inside a key ~1")
        found[pattern] = strategy_of(pattern, value)
    return Strategies(found)


def strategy_of(pattern: str, value: object) -> Strategy:
    """Read one strategy; `pattern` is where it was declared.

    Raises:
        InvalidInput: as `from_policy`.
    """
    name, argument = _parts(pattern, value)
    if name not in NAMES:
        refuse(pattern, f"there is no strategy {name!r}; there are {_FORMS}")
    if name == KEYED:
        return Strategy(KEYED, fields=_fields(pattern, argument))
    if name == MAX:
        if not isinstance(argument, str) or argument not in ORDERS:
            given = "nothing" if argument is None else repr(argument)
            refuse(pattern, f"max compares by {', '.join(ORDERS)}, not by {given}")
        return Strategy(MAX, order=argument)
    if argument is not None:
        refuse(pattern, f"{name} takes no argument")
    return Strategy(name)


def load_policy_file(text: str) -> Strategies:
    """Read a merge policy, YAML or JSON: a mapping with `strategies`, or a JSON Schema.

    The text must keep the strict profile of blueprints, so that it can be read in one way only.

    Raises:
        InvalidInput: it does not keep the profile (facts: line, column, hint), has unknown keys
            beside `strategies`, declares nothing, or as `from_policy` and `from_schema`.
    """
    from bps.blueprint.data import load  # noqa: PLC0415 - most merges have no policy to read
    from bps.blueprint.profile import check  # noqa: PLC0415
    from bps.core.errors import InvalidBlueprint, InvalidInput  # noqa: PLC0415
    from bps.merge.x_merge import from_schema  # noqa: PLC0415

    try:
        check(text.encode("utf-8", "surrogatepass"))
        content = load(text)
    except InvalidBlueprint as refused:
        facts = {name: refused.facts[name] for name in ("line", "column", "hint")}
        raise InvalidInput(f"The merge policy cannot be read: {refused.message}", **facts) from None
    if SECTION not in content:
        strategies = from_schema(content)
        if not strategies:
            what = f"it has neither the key {SECTION!r} nor, as a JSON Schema, any x-merge"
            refuse(SECTION, what)
        return strategies
    unknown = sorted(content.keys() - {SECTION})
    if unknown:
        refuse(unknown[0], f"beside {SECTION!r} a merge policy has no other key")
    if not isinstance(content[SECTION], dict):
        refuse(SECTION, "it maps path patterns to strategies")
    return from_policy(content[SECTION])


def refuse(pattern: str, what: str) -> NoReturn:
    """Raise the refusal of what is declared at `pattern`.

    Raises:
        InvalidInput: always; fact: field.
    """
    from bps.core.errors import InvalidInput  # noqa: PLC0415 - as slow to import as all the rest

    raise InvalidInput(f"The merge strategy at {pattern!r}: {what}.", field=pattern)


def _parts(pattern: str, value: object) -> tuple[str, object]:
    """Return the name and the argument, None where there is none."""
    if isinstance(value, str):
        found = _WITH_ARGUMENT.fullmatch(value)
        if found is None:
            return value.strip(), None
        listed = _IN_BRACKETS.fullmatch(found[2])
        if listed is None:
            return found[1], found[2]
        return found[1], [field.strip() for field in listed[1].split(",") if listed[1].strip()]
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, argument),) = value.items()
        if isinstance(name, str):
            return name, "" if argument is None else argument
    return refuse(pattern, f"a strategy is one of {_FORMS}")


def _fields(pattern: str, argument: object) -> tuple[str, ...]:
    fields = tuple(argument) if isinstance(argument, (list, tuple)) else ()
    if not fields or not all(isinstance(field, str) and field for field in fields):
        refuse(pattern, "keyed names the fields that identify an element: keyed: [id]")
    if len(set(fields)) < len(fields):
        refuse(pattern, "keyed names a field twice")
    return fields
