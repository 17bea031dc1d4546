"""Strategies by path, in all forms that people write, and what is refused of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bps.core.errors import InvalidInput
from bps.merge.declared import from_policy, load_policy_file
from bps.merge.strategies import NAMES, ORDERS, Strategy
from bps.merge.x_merge import _NOT_FOLLOWED, MAX_SCHEMAS, MAX_UNROLLED

PAGE = (Path(__file__).parents[3] / "docs" / "merge-policy.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

FORMS: list[tuple[Any, Strategy]] = [
    *[(name, Strategy(name)) for name in ("atomic", "set", "ordered", "text")],
    (" set ", Strategy("set")),
    ({"keyed": ["id"]}, Strategy("keyed", fields=("id",))),
    ({"keyed": ["os", "arch"]}, Strategy("keyed", fields=("os", "arch"))),
    ("keyed: [id]", Strategy("keyed", fields=("id",))),
    ("keyed:[ os,arch ]", Strategy("keyed", fields=("os", "arch"))),
    *[({"max": order}, Strategy("max", order=order)) for order in ORDERS],
    *[(f"max: {order}", Strategy("max", order=order)) for order in ORDERS],
]
REFUSED: list[tuple[Any, Any, str]] = [
    ("/a", "sets", "'sets'; there are atomic, set"),
    ("/a", "Set", "'Set'; there are"),
    ("/a", "", "''; there are"),
    ("/a", {"sets": ["id"]}, "'sets'; there are"),
    ("/a", "keyed", "keyed: [id]"),
    ("/a", "keyed: []", "keyed: [id]"),
    ("/a", "keyed: id", "keyed: [id]"),
    ("/a", {"keyed": []}, "keyed: [id]"),
    ("/a", {"keyed": None}, "keyed: [id]"),
    ("/a", {"keyed": "id"}, "keyed: [id]"),
    ("/a", {"keyed": [1]}, "keyed: [id]"),
    ("/a", {"keyed": [""]}, "keyed: [id]"),
    ("/a", {"keyed": ["id", "id"]}, "twice"),
    ("/a", "max", "semver, date, int, not by nothing"),
    ("/a", "max: size", "semver, date, int, not by 'size'"),
    ("/a", {"max": None}, "semver, date, int"),
    ("/a", {"max": ["int"]}, "semver, date, int"),
    ("/a", "set: [id]", "set takes no argument"),
    ("/a", {"atomic": None}, "atomic takes no argument"),
    ("/a", None, "one of atomic, set"),
    ("/a", ["set"], "one of atomic, set"),
    ("/a", {"keyed": ["id"], "max": "int"}, "one of atomic, set"),
    ("/a", {1: "int"}, "one of atomic, set"),
    ("a", "set", "begins with /"),
    ("#/a", "set", "begins with /"),
    (1, "set", "begins with /"),
    ("/a~b", "set", "~0"),
    ("/a~", "set", "~0"),
]


@pytest.mark.parametrize(("written", "strategy"), FORMS)
def test_every_form_is_read(written: object, strategy: Strategy) -> None:
    assert from_policy({"/a/*": written}).at(("a", "x")) == strategy


@pytest.mark.parametrize("strategy", [strategy for _, strategy in FORMS])
def test_what_a_strategy_is_printed_as_is_read_as_the_same(strategy: Strategy) -> None:
    assert from_policy({"": str(strategy)}).at(()) == strategy


@pytest.mark.parametrize(("pattern", "written", "message"), REFUSED)
def test_what_is_not_understood_is_refused_by_name(
    pattern: object, written: object, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_policy({"/fine": "set", pattern: written})
    assert message in refused.value.message
    assert refused.value.facts == {"field": str(pattern)}
    assert repr(str(pattern)) in refused.value.message


def test_escaped_keys_are_patterns() -> None:
    strategies = from_policy({"/a~1b/~0": "set"})
    assert strategies.at(("a~1b", "~0")) == Strategy("set")


@pytest.mark.parametrize(
    "text",
    [
        "strategies:\n  /tags: set\n  /size: 'max: int'\n",
        "strategies:\n  /tags: set\n  /size:\n    max: int\n",
        '{"strategies": {"/tags": "set", "/size": {"max": "int"}}}',
        '{\n\t"strategies": {\n\t\t"\\/tags": "set",\n\t\t"/size": "max: int"\n\t}\n}\n',
        "properties:\n  tags: {x-merge: set}\n  size: {x-merge: {max: int}}\n",
        json.dumps({"properties": {"tags": {"x-merge": "set"}, "size": {"x-merge": "max: int"}}}),
    ],
)
def test_a_file_is_yaml_or_json_a_policy_or_a_schema(text: str) -> None:
    strategies = load_policy_file(text)
    assert strategies.at(("tags",)) == Strategy("set")
    assert strategies.at(("size",)) == Strategy("max", order="int")


def test_a_file_may_say_that_nothing_is_declared() -> None:
    assert not load_policy_file("strategies: {}\n")


@pytest.mark.parametrize(
    ("text", "message", "field"),
    [
        ("strategy:\n  /a: set\n", "neither the key 'strategies' nor", "strategies"),
        ("type: object\n", "nor, as a JSON Schema, any x-merge", "strategies"),
        ("strategies: {/a: set}\nextra: 1\n", "no other key", "extra"),
        ("strategies: [set]\n", "maps path patterns", "strategies"),
        ("strategies:\n", "maps path patterns", "strategies"),
        ("strategies: {/a: sets}\n", "there are atomic", "/a"),
    ],
)
def test_a_file_that_declares_nothing_readable_is_refused(
    text: str, message: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_policy_file(text)
    assert message in refused.value.message
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("strategies:\n  /a: set\n  /a: text\n", 3),
        ("strategies: {", 2),
        ("- set\n", 1),
        ("", 1),
        ("strategies:\n  ? [a]\n  : set\n", 2),
        ("strategies: {/a: set\ud800}\n", 1),
        ("strategies: " + "[" * 50_000, 1),
    ],
)
def test_a_file_that_breaks_the_profile_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_policy_file(text)
    assert refused.value.message.startswith("The merge policy cannot be read: ")
    assert refused.value.facts["line"] == line
    assert refused.value.facts["hint"]


def test_the_examples_of_the_page_are_read() -> None:
    by_path, schema = (load_policy_file(example) for example in EXAMPLES)
    assert by_path.at(("tasks",)) == Strategy("keyed", fields=("id",))
    assert by_path.at(("tasks", "t1", "steps")) == Strategy("ordered")
    assert by_path.at(("matrix",)) == Strategy("keyed", fields=("os", "arch"))
    assert by_path.at(("updated",)) == Strategy("max", order="date")
    assert schema.at(("tasks", "t1", "subtasks", "t2", "tags")) == Strategy("set")
    assert schema.at(("labels", "any")) == Strategy("atomic")


def test_the_page_names_every_strategy_and_every_limit_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z]+)(?:: ([^`]*))?` \|", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} & set(NAMES) == set(NAMES)
    assert {order for name, order in rows if name == "max"} == set(ORDERS)
    assert f"at most {MAX_UNROLLED} times" in PAGE
    assert f"{MAX_SCHEMAS:,} ways" in PAGE
    for keyword in _NOT_FOLLOWED:
        assert f"`{keyword}`" in PAGE
