"""Checks of a merge that use none of its code: ruamel.yaml's own parser in Python, and text.

ruamel.yaml composes by the rules of YAML 1.2; the engine reads libyaml's events. Comments are found
by the mark that the generated ones carry.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tests.unit.merge.documents import NOTE
from tests.unit.merge.leaves import IDENTITIES

_NOTE = re.compile(rf"# {NOTE}\d+[^\r\n]*")
OWN = r"[^\W\d_]\d+"
"""A pattern of what no two leaves share: a letter and a number given out once."""
_OWN = re.compile(OWN)
_SPACE = re.compile(r"\s+")


class Broken(AssertionError):
    """A text that a clean merge must never return."""


class Mark:
    """A value of its own."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


AGAIN = "again"
"""Marks a key that its mapping has already."""


@lru_cache(maxsize=512)
def composed(text: str) -> tuple[Any, ...]:
    """The documents of a text as plain trees.

    A mapping is a dict from keys to trees, a list a tuple, a scalar `("scalar", tag, value)`. An
    alias is the tree that it stands for, a key that occurs again `(AGAIN, key)`.

    Raises:
        Broken: it is no YAML, or an alias has no anchor.
    """
    reader = YAML(typ="safe", pure=True)
    # Its scanner refuses a tab before a comment, which YAML allows.
    text = text.removeprefix("\ufeff").replace(f"\t# {NOTE}", f" # {NOTE}")
    try:
        with warnings.catch_warnings(action="ignore", category=ReusedAnchorWarning):
            return tuple(_tree(node) for node in reader.compose_all(text))
    except YAMLError as error:
        raise Broken(str(error)) from error


def doubled_keys(text: str) -> set[Any]:
    """The keys that a mapping of a text has more than once."""
    found: set[Any] = set()

    def descend(tree: Any) -> None:
        if is_scalar(tree):
            return
        for child in tree:
            if isinstance(tree, dict):
                if child[0] == AGAIN:
                    found.add(child)
                descend(tree[child])
            else:
                descend(child)

    for tree in composed(text):
        descend(tree)
    return found


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
        name = frozen(_tree(key))
        while name in found:
            name = (AGAIN, name)
        found[name] = _tree(value)
    return found


def frozen(tree: Any) -> Any:
    """A tree as a value that can be a key."""
    if isinstance(tree, dict):
        return ("mapping", frozenset((key, frozen(value)) for key, value in tree.items()))
    return tree if is_scalar(tree) else ("list", *(frozen(each) for each in tree))


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
            name = name_of(field)
            for each in tree:
                descend(each, (*path, frozen(each[name])) if field else path)

    for tree in composed(text):
        descend(tree, ())
    return {token: frozenset(paths) for token, paths in found.items()}


def comments(text: str) -> Counter[str]:
    """The comments of a text."""
    return Counter(found.rstrip() for found in _NOTE.findall(text))


def name_of(field: str) -> Any:
    """A plain word as a key."""
    return ("scalar", "tag:yaml.org,2002:str", field)


def known_again(trees: tuple[Any, ...]) -> str:
    """The field that identifies the elements of all these lists; "" where there is none."""
    for field in IDENTITIES:
        name = name_of(field)
        if all(_unique(tree, name) for tree in trees) and any(trees):
            return field
    return ""


def _unique(tree: Any, name: Any) -> bool:
    found = [each.get(name) if isinstance(each, dict) else None for each in tree]
    return None not in found and len({frozen(each) for each in found}) == len(found)


def changed(
    of: Callable[[str], Counter[str] | set[str]], base: str, side: str
) -> tuple[set[str], set[str]]:
    """What a side added to its base, and what it took away."""
    before, after = set(of(base)), set(of(side))
    return after - before, before - after
