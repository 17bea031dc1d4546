"""What a merge tool's answer to a real case is worth, beside what people committed.

Texts are read by ruamel.yaml's composer, not by the code that is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from enum import StrEnum
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

TRUE_CONFLICT = "true-conflict"
_IDENTITIES = ("id", "name", "key", "task_id")
_TEXT_TAG = "tag:yaml.org,2002:str"


class Verdict(StrEnum):
    """Conflicts that people would not call one are `FALSE_CONFLICT`, lost ones `MISSED`."""

    RIGHT = "right"
    FALSE_CONFLICT = "false conflict"
    WRONG = "wrong"
    MISSED = "missed"


class Judged(NamedTuple):
    """`exact`: right also in the order of what both sides added to lists."""

    verdict: Verdict
    exact: bool


def judge(kind: str, base: str, committed: str, result: str | None) -> Judged:
    """Judge a tool's result on a case of that kind; None where the tool told of a conflict.

    Raises:
        YAMLError: `base` or `committed` is not YAML; a result that is not is wrong.
    """
    if kind == TRUE_CONFLICT:
        return Judged(Verdict.MISSED, exact=False) if result is not None else _RIGHT
    if result is None:
        return Judged(Verdict.FALSE_CONFLICT, exact=False)
    wanted = meaning(committed)
    try:
        got = meaning(result)
    except YAMLError:
        return Judged(Verdict.WRONG, exact=False)
    if got == wanted:
        return _RIGHT
    forked = meaning(base)
    if len(got) == len(wanted) == len(forked) and all(map(alike, got, wanted, forked)):
        return Judged(Verdict.RIGHT, exact=False)
    return Judged(Verdict.WRONG, exact=False)


_RIGHT = Judged(Verdict.RIGHT, exact=True)


def meaning(text: str) -> list[object]:
    """The data of each document: scalars as (tag, value), mappings as dicts, sequences as lists.

    A mapping with a key twice is a tuple of its pairs, so that it equals no proper mapping.

    Raises:
        YAMLError: the text is not YAML.
    """
    return [_data(root) for root in YAML(typ="safe").compose_all(text)]


def alike(one: object, other: object, base: object) -> bool:
    """Whether two data are equal up to the order of what they have in lists and `base` has not.

    An element is the base's where it equals one there, or has the `id`, `name`, `key` or
    `task_id` of one. A list that the base lacks is all additions.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        below = base if isinstance(base, dict) else {}
        return one.keys() == other.keys() and all(
            alike(one[key], other[key], below.get(key)) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return _lists_alike(one, other, base if isinstance(base, list) else [])
    return bool(one == other)


def _lists_alike(one: list[object], other: list[object], base: list[object]) -> bool:
    known: dict[Hashable, int] = {}
    for index, element in enumerate(base):
        for name in _names(element):
            known.setdefault(name, index)
    kept, added = _parted(one, known)
    its_kept, its_added = _parted(other, known)
    return (
        Counter(map(_frozen, added)) == Counter(map(_frozen, its_added))
        and [index for index, _ in kept] == [index for index, _ in its_kept]
        and all(
            alike(mine, its, base[index])
            for (index, mine), (_, its) in zip(kept, its_kept, strict=True)
        )
    )


def _parted(
    elements: Sequence[object], known: dict[Hashable, int]
) -> tuple[list[tuple[int, object]], list[object]]:
    """The elements that the base has, each with its index there, and the others."""
    kept: list[tuple[int, object]] = []
    added: list[object] = []
    for element in elements:
        index = next((known[name] for name in _names(element) if name in known), None)
        if index is None:
            added.append(element)
        else:
            kept.append((index, element))
    return kept, added


def _names(element: object) -> list[Hashable]:
    """What an element may be found again by, the surest first."""
    names: list[Hashable] = [_frozen(element)]
    if isinstance(element, dict):
        keys = [(_TEXT_TAG, field) for field in _IDENTITIES]
        names += [(key, _frozen(element[key])) for key in keys if key in element]
    return names


def _frozen(data: object) -> Hashable:
    if isinstance(data, dict):
        return frozenset((key, _frozen(value)) for key, value in data.items())
    if isinstance(data, list | tuple):
        return (type(data), *map(_frozen, data))
    return str(data)


def _data(node: Node | None) -> object:
    if isinstance(node, MappingNode):
        pairs = [(_frozen_key(key), _data(value)) for key, value in node.value]
        data = dict(pairs)
        return data if len(data) == len(pairs) else tuple(pairs)
    if isinstance(node, SequenceNode):
        return [_data(item) for item in node.value]
    if isinstance(node, ScalarNode):
        return (str(node.tag), node.value)
    return None


def _frozen_key(node: Node) -> Hashable:
    data = _data(node)
    return data if isinstance(data, tuple) else _frozen(data)
