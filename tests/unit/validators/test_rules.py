"""Uniqueness, JSON Schema and CEL rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.validators.judged import judged, places
from validators.cel import Cel
from validators.json_schema import JsonSchema
from validators.uniqueness import Uniqueness


def rule(expression: str, **more: str) -> dict[str, Any]:
    return {"rules": [{"expression": expression, "message": "it is so", **more}]}


@pytest.mark.parametrize(
    "text",
    [
        "title: x",
        "tasks: [{id: a}, {id: b}]",
        "tasks: [{id: a}, {name: a}, {id: a}]",
        "tasks: [{id: 1}, {id: '1'}]",
        "history: [{id: a}, {id: a}]",
    ],
)
def test_lists_that_are_not_keyed_or_unique_are_free(text: str) -> None:
    assert judged(Uniqueness(), text) == []


def test_a_repeated_id_is_found_at_its_second_place() -> None:
    found = judged(Uniqueness(), "tasks: [{id: a}, {id: b}, {id: a}]")
    assert places(found) == [("/tasks/2/id", "not-unique")]


def test_declared_lists_are_judged_wherever_they_are() -> None:
    config = {"lists": [{"path": "/groups/*/members", "field": "name"}]}
    text = "groups: [{members: [{name: a}, {name: a}, {}]}]\ntasks: [{id: a}, {id: a}]"
    assert places(judged(Uniqueness(), text, config=config)) == [
        ("/groups/0/members/1/name", "not-unique")
    ]


def test_a_violation_of_the_schema_is_found_at_its_place() -> None:
    schema = {"properties": {"a/b": {"items": {"type": "integer"}}}, "required": ["c"]}
    found = judged(JsonSchema(), "a/b: [1, x]", config={"schema": schema})
    assert sorted(places(found)) == [("", "schema-violation"), ("/a~1b/1", "schema-violation")]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nothing"},
        {"$ref": "https://example.org/schema"},
        {"$ref": "file:///etc/hosts"},
        {"$ref": "#/$defs/none"},
        {"$schema": "https://example.org/meta"},
        {"pattern": "("},
    ],
)
def test_a_schema_that_cannot_be_used_or_leads_outside_is_a_wrong_configuration(
    schema: Any,
) -> None:
    (problem,) = JsonSchema().check_config({"schema": schema})
    assert problem.startswith("The schema cannot be used")
    assert JsonSchema().check_config({"schema": {"type": "object"}}) == ()


@pytest.mark.parametrize(
    "expression",
    [
        "merged.n == 2",
        "base.n + 1 == merged.n",
        "branches['r'].n == merged.n",
        "has(merged.nothing) == false",
        "merged.list.all(each, each > 0)",
    ],
)
def test_a_rule_that_holds_says_nothing(expression: str) -> None:
    text = "n: 2\nlist: [1, 2]\n"
    config = rule(expression)
    assert Cel().check_config(config) == []
    assert judged(Cel(), text, base="n: 1", branches={"r": "n: 2"}, config=config) == []


def test_a_rule_that_does_not_hold_is_a_finding_of_its_severity_and_place() -> None:
    (found,) = judged(Cel(), "n: 2", config=rule("merged.n > 2", path="/n", severity="warning"))
    assert (found.severity, found.path, found.code) == ("warning", "/n", "rule-broken")
    assert found.message == "it is so"


@pytest.mark.parametrize(
    "expression", ["merged.none.more", "merged.n", "1 / 0 == 1", "base.n == 1"]
)
def test_a_rule_that_cannot_be_answered_blocks_whatever_its_severity(expression: str) -> None:
    (found,) = judged(Cel(), "n: 2", config=rule(expression, severity="info"))
    assert (found.severity, found.code) == ("error", "rule-not-answered")


@pytest.mark.parametrize(
    "expression", ["", "merged.n >", "unknown == 1", "nothing(merged)", "1 + 1", "'a' + 1 == 2"]
)
def test_a_rule_that_does_not_compile_is_a_wrong_configuration(expression: str) -> None:
    (problem,) = Cel().check_config(rule(expression))
    assert problem.startswith("config/rules/0/expression: ")


def test_a_rule_with_nested_loops_without_end_is_stopped() -> None:
    config = rule("merged.l.all(a, merged.l.all(b, merged.l.all(c, merged.l.all(d, true))))")
    text = f"l: [{', '.join(map(str, range(300)))}]"
    with pytest.raises(RuntimeError, match="budget"):
        judged(Cel(), text, config=config)
