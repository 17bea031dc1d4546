"""Strategies out of a JSON Schema: the keyword `x-merge` beside what it describes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bps.merge.declared import refuse, strategy_of
from bps.merge.strategies import Strategies, Strategy

KEYWORD = "x-merge"
MAX_UNROLLED = 8
"""How often a `$ref` is followed into the same schema on one path."""
MAX_SCHEMAS = 20_000
"""Schemas looked at, each once for each path that leads to it."""

_OTHERS = frozenset({"additionalProperties", "patternProperties"})
_STAR_KEY = "~*"
"""A key `*`, until it is refused; no escape of a JSON Pointer."""
_SAME_PLACE = ("allOf", "anyOf", "oneOf")
_NOT_FOLLOWED = (
    "if",
    "then",
    "else",
    "not",
    "contains",
    "propertyNames",
    "dependentSchemas",
    "additionalItems",
    "unevaluatedItems",
    "unevaluatedProperties",
)


class _Place(NamedTuple):
    """A schema and the pattern of what it describes; `entered` are the refs followed to it."""

    schema: object
    pattern: str
    entered: tuple[str, ...]


def from_schema(schema: Mapping[str, Any]) -> Strategies:
    """Read the strategies that a JSON Schema declares with `x-merge`.

    `properties` are keys of the path; `items`, `prefixItems`, `additionalProperties` and
    `patternProperties` are `*`, the latter two not for keys that the same schema names. Local
    `$ref`, `allOf`, `anyOf` and `oneOf` describe the same place. A recursive schema declares down
    to `MAX_UNROLLED` levels.

    Raises:
        InvalidInput: as `from_policy`; or two strategies for one place, a `$ref` that is not
            local or leads nowhere, `x-merge` under a keyword that is not followed or under a key
            `*`, more than `MAX_SCHEMAS` schemas. fact: field, the pattern.
    """
    found: dict[str, Strategy] = {}
    alone: set[str] = set()
    waiting = deque([_Place(schema, "", ())])
    looked_at = 0
    while waiting:
        place = waiting.popleft()
        looked_at += 1
        if looked_at > MAX_SCHEMAS:
            refuse(place.pattern, f"the schema has more than {MAX_SCHEMAS:,} ways to its places")
        if isinstance(place.schema, bool):
            continue
        here = _mapping(place.schema, place.pattern)
        _declare(found, here, place.pattern)
        waiting.extend(_same_place(schema, here, place))
        waiting.extend(_below(here, place))
        if not _OTHERS.isdisjoint(here):
            named = _mapping(here.get("properties", {}), place.pattern)
            alone.update(f"{place.pattern}/{_escaped(key)}" for key in named)
    # A place must stand alone only where what is declared for others would reach it.
    others = {prefix for pattern in found for prefix in _starred(pattern)}
    return Strategies(found, [each for each in alone if f"{each.rpartition('/')[0]}/*" in others])


def _declare(found: dict[str, Strategy], here: Mapping[str, Any], pattern: str) -> None:
    for keyword in _NOT_FOLLOWED:
        if keyword in here and _mentions(here[keyword]):
            refuse(pattern, f"{KEYWORD} is not followed under {keyword!r}; declare it outside")
    if KEYWORD not in here:
        return
    strategy = strategy_of(pattern, here[KEYWORD])
    if _STAR_KEY in pattern.split("/"):
        refuse(pattern, "a key * cannot be told from the wildcard")
    if found.setdefault(pattern, strategy) != strategy:
        refuse(pattern, f"the schema declares both {found[pattern]} and {strategy}")


def _same_place(root: object, here: Mapping[str, Any], place: _Place) -> Iterator[_Place]:
    reference = here.get("$ref")
    if reference is not None and place.entered.count(reference) < MAX_UNROLLED:
        target = _resolved(root, reference, place.pattern)
        yield _Place(target, place.pattern, (*place.entered, reference))
    for keyword in _SAME_PLACE:
        for part in _list(here.get(keyword, []), place.pattern):
            yield place._replace(schema=part)


def _below(here: Mapping[str, Any], place: _Place) -> Iterator[_Place]:
    for key, part in _mapping(here.get("properties", {}), place.pattern).items():
        yield _Place(part, f"{place.pattern}/{_escaped(key)}", place.entered)
    items = here.get("items", True)
    every = [
        *(items if isinstance(items, list) else [items]),
        *_list(here.get("prefixItems", []), place.pattern),
        here.get("additionalProperties", True),
        *_mapping(here.get("patternProperties", {}), place.pattern).values(),
    ]
    for part in every:
        if not isinstance(part, bool):
            yield _Place(part, f"{place.pattern}/*", place.entered)


def _resolved(root: object, reference: object, pattern: str) -> object:
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        refuse(pattern, f"only a local $ref (#/...) is followed, not {reference!r}")
    if "%" in reference:
        from urllib.parse import unquote  # noqa: PLC0415 - slow to import and hardly ever needed

        reference = unquote(reference)
    target = root
    for segment in reference.split("/")[1:]:
        key = segment.replace("~1", "/").replace("~0", "~")
        if isinstance(target, Mapping) and key in target:
            target = target[key]
        elif isinstance(target, list) and key.isdecimal() and int(key) < len(target):
            target = target[int(key)]
        else:
            refuse(pattern, f"the $ref {reference!r} leads nowhere")
    return target


def _mapping(value: object, pattern: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        refuse(pattern, "the schema has something else than a mapping where one belongs")
    return value


def _list(value: object, pattern: str) -> list[Any]:
    if not isinstance(value, list):
        refuse(pattern, "the schema has something else than a list where one belongs")
    return value


def _mentions(value: object) -> bool:
    """Whether the keyword is anywhere in a value, which aliases may have made a graph."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Mapping):
            if KEYWORD in each:
                return True
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False


def _escaped(key: str) -> str:
    return _STAR_KEY if key == "*" else key.replace("~", "~0").replace("/", "~1")


def _starred(pattern: str) -> Iterator[str]:
    """Yield the beginnings of a pattern that end in `*`."""
    segments = pattern.split("/")
    for at, segment in enumerate(segments):
        if segment == "*":
            yield "/".join(segments[: at + 1])
