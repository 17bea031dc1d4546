"""Checks of a merge that use none of its code: ruamel.yaml's own parser in Python, and text.

ruamel.yaml composes by the rules of YAML 1.2; the engine reads libyaml's events. Comments are found
by the mark that the generated ones carry.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tests.unit.merge.documents import NOTE
from tests.unit.merge.drawing import IDENTITIES

_NOTE = re.compile(rf"# {NOTE}\d+[^\r\n]*")
OWN = r"[^\W\d_]\d+"
"""A pattern of what no two leaves share: a letter and a number given out once."""
_OWN = re.compile(OWN)
_SPACE = re.compile(r"\s+")


class Broken(AssertionError):
    """A text that a clean merge must never return."""


class _Mark:
    """A value of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


MISSING = _Mark("missing")
"""Nothing at a place."""
CONTESTED = _Mark("contested")
"""Two editors want two things."""
OPEN = _Mark("open")
"""The oracle does not say."""


@lru_cache(maxsize=512)
def composed(text: str) -> tuple[Any, ...]:
    """The documents of a text as plain trees.

    A mapping is a dict from keys to trees, a list a tuple, a scalar `("scalar", tag, value)`. An
    alias is the tree that it stands for.

    Raises:
        Broken: it is no YAML, a key occurs twice, or an alias has no anchor.
    """
    reader = YAML(typ="safe", pure=True)
    try:
        return tuple(_tree(node) for node in reader.compose_all(text.removeprefix("\ufeff")))
    except YAMLError as error:
        raise Broken(str(error)) from error


def _tree(node: Node | None) -> Any:
    if node is None:
        return ("scalar", "tag:yaml.org,2002:null", "")
    if isinstance(node, ScalarNode):
        # Lines of block scalars are merged by themselves: a text there is another kind of leaf.
        lines = "|" if node.style in {"|", ">"} else ""
        return ("scalar", f"{node.tag}{lines}", node.value)
    if isinstance(node, SequenceNode):
        return tuple(_tree(each) for each in node.value)
    assert isinstance(node, MappingNode)
    found: dict[Any, Any] = {}
    for key, value in node.value:
        name = _frozen(_tree(key))
        if name in found:
            raise Broken(f"the key {name} occurs twice")
        found[name] = _tree(value)
    return found


def _frozen(tree: Any) -> Any:
    if isinstance(tree, dict):
        return ("mapping", frozenset((key, _frozen(value)) for key, value in tree.items()))
    return tree if is_scalar(tree) else ("list", *(_frozen(each) for each in tree))


def is_scalar(tree: Any) -> bool:
    """Whether a tree is a leaf."""
    return isinstance(tree, tuple) and len(tree) == 3 and tree[0] == "scalar"


def unordered(tree: Any) -> Any:
    """A tree that equals another one up to the order of lists and mappings."""
    if is_scalar(tree):
        return tree
    if isinstance(tree, dict):
        return ("mapping", frozenset((key, unordered(value)) for key, value in tree.items()))
    return ("list", frozenset(Counter(unordered(each) for each in tree).items()))


def leaves(tree: Any) -> Iterator[Any]:
    """The scalars and keys of a tree, and its empty collections."""
    if is_scalar(tree):
        yield tree
        return
    if not tree:
        yield "{}" if isinstance(tree, dict) else "[]"
    for child in tree:
        if isinstance(tree, dict):
            yield ("key", child)
            yield from leaves(tree[child])
        else:
            yield from leaves(child)


def words(text: str) -> set[str]:
    """The leaves of a text, those of several lines cut into their words."""
    return {word for tree in composed(text) for leaf in leaves(tree) for word in _words(leaf)}


def _words(leaf: Any) -> Iterator[str]:
    if isinstance(leaf, str):
        yield leaf
    elif leaf[0] == "key":
        yield f"key {leaf[1]}"
    else:
        yield from (word for word in _SPACE.split(leaf[2]) if word)


@lru_cache(maxsize=256)
def places(text: str) -> dict[str, frozenset[tuple[Any, ...]]]:
    """Where the numbered words of a text stand, as paths of keys and identities."""
    found: dict[str, set[tuple[Any, ...]]] = {}

    def descend(tree: Any, path: tuple[Any, ...]) -> None:
        if is_scalar(tree):
            for token in _OWN.findall(tree[2]):
                found.setdefault(token, set()).add(path)
        elif isinstance(tree, dict):
            for key, value in tree.items():
                descend(key, path) if is_scalar(key) else None
                descend(value, (*path, key))
        else:
            field = known_again((tree,))
            name = ("scalar", "tag:yaml.org,2002:str", field)
            for each in tree:
                descend(each, (*path, _frozen(each[name])) if field else path)

    for tree in composed(text):
        descend(tree, ())
    return {token: frozenset(paths) for token, paths in found.items()}


def comments(text: str) -> Counter[str]:
    """The comments of a text."""
    return Counter(found.rstrip() for found in _NOTE.findall(text))


def known_again(trees: tuple[Any, ...]) -> str:
    """The field that identifies the elements of all these lists; "" where there is none."""
    for field in IDENTITIES:
        name = ("scalar", "tag:yaml.org,2002:str", field)
        if all(_unique(tree, name) for tree in trees) and any(trees):
            return field
    return ""


def _unique(tree: Any, name: Any) -> bool:
    found = [each.get(name) if isinstance(each, dict) else None for each in tree]
    return None not in found and len({_frozen(each) for each in found}) == len(found)


def three_way(base: Any, one: Any, other: Any) -> Any:
    """What a merge must give, by paths alone; CONTESTED and OPEN where it is not for an oracle.

    Order is left out: a keyed list comes out as a dict by identity.
    """
    if _equal(one, base):
        return other
    if _equal(other, base) or _equal(one, other):
        return one
    versions = (base, one, other)
    if all(isinstance(each, dict) for each in versions):
        keys = dict.fromkeys([*base, *one, *other])
        merged = {key: three_way(*(each.get(key, MISSING) for each in versions)) for key in keys}
        return {key: value for key, value in merged.items() if value is not MISSING}
    lists = [each for each in versions if isinstance(each, tuple) and not is_scalar(each)]
    if len(lists) == 3:
        field = known_again(versions)
        if not field:
            return CONTESTED if _same_gap(base, one, other) else OPEN
        name = ("scalar", "tag:yaml.org,2002:str", field)
        by_identity = [{_frozen(each[name]): each for each in tree} for tree in versions]
        return ("keyed", name, three_way(*by_identity))
    texts = all(is_scalar(each) and each[1].endswith("|") for each in versions)
    return OPEN if texts or len(lists) == 3 else CONTESTED


def _same_gap(base: Any, one: Any, other: Any) -> bool:
    """Whether both put different elements into one gap of a list that is no set of scalars."""
    trees = [each for version in (base, one, other) for each in version]
    if all(is_scalar(each) for each in trees):
        return False
    mine, its = _insertions(base, one), _insertions(base, other)
    return any(mine[gap] != its[gap] for gap in mine.keys() & its.keys())


def _insertions(base: Any, side: Any) -> dict[int, list[Any]]:
    """What stands in each gap of the base, where a side did nothing but insert; else nothing."""
    frozen = [_frozen(each) for each in base]
    if len(set(frozen)) < len(frozen):
        return {}
    found: dict[int, list[Any]] = {}
    at = 0
    for each in map(_frozen, side):
        if at < len(frozen) and each == frozen[at]:
            at += 1
        else:
            found.setdefault(at, []).append(each)
    return found if at == len(frozen) else {}


def _equal(one: Any, other: Any) -> bool:
    if one is MISSING or other is MISSING:
        return one is other
    return bool(_frozen(one) == _frozen(other))


def find(expected: Any, what: _Mark) -> bool:
    """Whether a mark is anywhere in what `three_way` gave."""
    if isinstance(expected, _Mark):
        return expected is what
    if isinstance(expected, dict):
        return any(find(value, what) for value in expected.values())
    return isinstance(expected, tuple) and any(find(each, what) for each in expected)


def matches(result: Any, expected: Any) -> bool:
    """Whether a tree is what `three_way` gave, wherever that says something."""
    if expected is OPEN:
        return True
    if isinstance(expected, tuple) and len(expected) == 3 and expected[0] == "keyed":
        _, name, members = expected
        if not isinstance(result, tuple) or is_scalar(result):
            return False
        if not all(isinstance(each, dict) and name in each for each in result):
            return False
        own = {_frozen(each[name]): each for each in result}
        return len(own) == len(result) and matches(own, members)
    if isinstance(expected, dict):
        return (
            isinstance(result, dict)
            and result.keys() == expected.keys()
            and all(matches(result[key], value) for key, value in expected.items())
        )
    return not isinstance(expected, _Mark) and _equal(result, expected)


def changed(
    of: Callable[[str], Counter[str] | set[str]], base: str, side: str
) -> tuple[set[str], set[str]]:
    """What a side added to its base, and what it took away."""
    before, after = set(of(base)), set(of(side))
    return after - before, before - after
