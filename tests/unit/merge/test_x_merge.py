"""Strategies out of JSON Schemas: which places a keyword reaches, and which it must not."""

from __future__ import annotations

from typing import Any

import pytest

from bps.core.errors import InvalidInput
from bps.merge.strategies import Strategy
from bps.merge.x_merge import _NOT_FOLLOWED, MAX_UNROLLED, from_schema

SET = {"x-merge": "set"}
TEXT = {"x-merge": "text"}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (SET, ""),
        ({"properties": {"a": SET}}, "a"),
        ({"properties": {"a/b~c": SET}}, "a~1b~0c"),
        ({"properties": {"properties": {"properties": {"x-merge": SET}}}}, "properties x-merge"),
        ({"items": SET}, "7"),
        ({"items": [SET, True]}, "7"),
        ({"prefixItems": [SET, {}], "items": False}, "0"),
        ({"additionalProperties": SET}, "any"),
        ({"patternProperties": {"^x-": SET}}, "x-any"),
        ({"properties": {"a": {"items": {"properties": {"b": SET}}}}}, "a 3 b"),
        ({"$ref": "#/$defs/s", "$defs": {"s": SET}}, ""),
        ({"properties": {"a": {"$ref": "#/$defs/a~1b%20c"}}, "$defs": {"a/b c": SET}}, "a"),
        ({"items": {"$ref": "#/allOf/0/not"}, "allOf": [{"not": {"enum": [1]}}, SET]}, ""),
        ({"allOf": [{"properties": {"a": SET}}, {"properties": {"b": {}}}]}, "a"),
        ({"anyOf": [{"$ref": "#/$defs/s"}, {"type": "null"}], "$defs": {"s": SET}}, ""),
        ({"oneOf": [True, SET]}, ""),
        ({"allOf": [SET, SET]}, ""),
    ],
)
def test_the_keyword_is_found_at_its_place(schema: dict[str, Any], path: str) -> None:
    assert from_schema(schema).at(tuple(path.split())) == Strategy("set")


def test_what_is_only_defined_declares_nothing() -> None:
    assert not from_schema({"$defs": {"s": SET}, "properties": {"a": True, "b": {}}})


def test_a_named_key_is_none_of_the_additional_ones() -> None:
    strategies = from_schema(
        {
            "properties": {"named": {"type": "array"}, "deep": {"properties": {"x": TEXT}}},
            "additionalProperties": {"x-merge": "set", "properties": {"y": SET}},
        }
    )
    assert strategies.at(("other",)) == Strategy("set")
    assert strategies.at(("other", "y")) == Strategy("set")
    for path in (("named",), ("named", "y"), ("deep",), ("deep", "y")):
        assert strategies.at(path) is None, path
    assert strategies.at(("deep", "x")) == Strategy("text")
    assert not strategies.root.child("named")


def test_a_named_key_is_none_of_the_additional_ones_inside_others_too() -> None:
    inner = {"properties": {"a": {}}, "additionalProperties": SET}
    strategies = from_schema({"properties": {"m": {"additionalProperties": inner}}})
    assert strategies.at(("m", "x", "b")) == Strategy("set")
    assert strategies.at(("m", "x", "a")) is None


def test_named_keys_beside_others_without_a_strategy_declare_nothing() -> None:
    inner: dict[str, Any] = {"properties": {"a": {}}, "additionalProperties": {}}
    strategies = from_schema({"properties": {"x": inner, "z": SET}})
    assert not strategies.root.child("x")


def test_a_recursive_schema_declares_down_to_its_bound() -> None:
    strategies = from_schema(
        {"properties": {"tags": SET, "children": {"items": {"$ref": "#"}}}},
    )
    for depth in range(MAX_UNROLLED + 1):
        assert strategies.at((*("children", "0") * depth, "tags")) == Strategy("set")
    assert strategies.at((*("children", "0") * (MAX_UNROLLED + 1), "tags")) is None


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}])
def test_a_schema_that_only_refers_to_itself_declares_nothing(schema: dict[str, Any]) -> None:
    assert not from_schema(schema)


def test_a_schema_that_an_alias_makes_endless_is_refused() -> None:
    schema: dict[str, Any] = {"properties": {}}
    schema["properties"]["a"] = schema
    with pytest.raises(InvalidInput, match="more than 20,000"):
        from_schema(schema)


def test_a_schema_with_too_many_ways_through_it_is_refused() -> None:
    wide = {f"p{n}": {"$ref": "#"} for n in range(6)}
    with pytest.raises(InvalidInput, match="more than 20,000"):
        from_schema({"properties": wide})


@pytest.mark.parametrize(
    ("schema", "field", "message"),
    [
        ({"properties": {"a": {"x-merge": "sets"}}}, "/a", "there are atomic"),
        ({"items": {"x-merge": {"keyed": []}}}, "/*", "keyed: [id]"),
        ({"allOf": [SET, TEXT]}, "", "both set and text"),
        ({"prefixItems": [SET, TEXT]}, "/*", "both set and text"),
        ({"x-merge": "text", "$ref": "#/$defs/s", "$defs": {"s": SET}}, "", "both text and set"),
        ({"properties": {"*": SET}}, "/~*", "wildcard"),
        ({"properties": {"*": {"items": SET}}}, "/~*/*", "wildcard"),
        ({"items": {"$ref": "other.json"}}, "/*", "only a local $ref"),
        ({"items": {"$ref": "#name"}}, "/*", "only a local $ref"),
        ({"items": {"$ref": 1}}, "/*", "only a local $ref"),
        ({"items": {"$ref": "#/$defs/none"}}, "/*", "leads nowhere"),
        ({"items": {"$ref": "#/allOf/1"}, "allOf": [{}]}, "/*", "leads nowhere"),
        ({"items": {"$ref": "#/$defs/s"}, "$defs": {"s": "set"}}, "/*", "a mapping where"),
        ({"properties": []}, "", "a mapping where"),
        ({"properties": {"a": None}}, "/a", "a mapping where"),
        ({"patternProperties": 1}, "", "a mapping where"),
        ({"allOf": None}, "", "a list where"),
        ({"prefixItems": {}}, "", "a list where"),
    ],
)
def test_a_schema_that_leaves_a_doubt_is_refused(
    schema: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_schema(schema)
    assert message in refused.value.message
    assert refused.value.facts == {"field": field}


@pytest.mark.parametrize("keyword", _NOT_FOLLOWED)
def test_a_keyword_where_it_is_not_followed_is_refused_not_passed_over(keyword: str) -> None:
    with pytest.raises(InvalidInput, match=f"under '{keyword}'"):
        from_schema({"items": {keyword: {"properties": {"a": {"anyOf": [SET]}}}}})
    assert not from_schema({keyword: {"properties": {"a": {}}}})
