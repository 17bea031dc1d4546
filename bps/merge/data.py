"""What nodes mean: keys for equality, and JSON for people."""

from __future__ import annotations

from collections.abc import Hashable

from bps.blueprint.words import is_decimal, may_differ_from_text
from bps.merge.source import ALIAS, MAPPING, SCALAR, Node


def data_of(node: Node) -> Hashable:
    """The equality key of a node; see `Node.data`."""
    if node.kind == SCALAR:
        data: Hashable = _scalar(node)
    elif node.kind == ALIAS:
        data = (ALIAS, node.value)
    elif node.kind == MAPPING:
        pairs = [(key.data, value.data) for key, value in node.pairs()]
        unique = len({key for key, _ in pairs}) == len(pairs)
        data = frozenset(pairs) if unique else ("duplicates", tuple(pairs))
    else:
        data = ("sequence", *[child.data for child in node.children])
    if node.tag is not None:
        data = ("tag", node.tag, data)
    if node.anchor is not None:
        data = ("anchor", node.anchor, data)
    return data


def _scalar(node: Node) -> Hashable:
    return node.value if node.style else plain_data(node.value)


def plain_data(value: str) -> Hashable:
    """The equality key of a plain scalar without anchor and tag; never None."""
    if not (value == "" or may_differ_from_text(value)):
        return value
    if is_decimal(value):
        return ("plain", value)
    from bps.blueprint.scalars import Kind, kinds  # noqa: PLC0415 - few scalars take its rules

    kind = kinds(value)
    if kind == (Kind.NULL, Kind.NULL):
        # Every YAML version reads `~`, `null` and nothing alike.
        return ("plain", "null")
    return value if kind == (Kind.TEXT, Kind.TEXT) else ("plain", value)


def json_value(node: Node | None) -> object:
    """The data as JSON, for conflict records: YAML 1.2's reading, an alias as `*name`.

    Non-text keys become their spelling; numbers that JSON cannot hold stay text.
    """
    if node is None:
        return None
    if node.kind == SCALAR:
        return _json_scalar(node)
    if node.kind == ALIAS:
        return f"*{node.value}"
    if node.kind == MAPPING:
        return {
            key.value if key.kind == SCALAR else key.text: json_value(value)
            for key, value in node.pairs()
        }
    return [json_value(child) for child in node.children]


def _json_scalar(node: Node) -> object:
    value = node.value
    if node.style or node.tag is not None or not (value == "" or may_differ_from_text(value)):
        return value
    from bps.merge.json_scalar import json_scalar  # noqa: PLC0415 - as above

    return json_scalar(value)
