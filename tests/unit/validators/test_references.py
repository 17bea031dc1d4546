"""References lead somewhere, and tasks do not wait for themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.validators.judged import judged, places
from validators.references import References


@pytest.mark.parametrize(
    "text",
    [
        "title: no tasks",
        "tasks: text",
        "tasks: [a, b]",
        "tasks: [{depends_on: [x]}]",
        "tasks: [{id: 1, depends_on: [x]}]",
        "tasks: [{id: a, depends_on: null}]",
        "tasks: [{id: a, depends_on: {x: 1}}]",
        "tasks: [{id: a, depends_on: [1, null]}]",
        "tasks: [{id: a}, {id: b, depends_on: [a]}, {id: c, depends_on: [a, b]}]",
        "other: [{id: a, depends_on: [x]}]",
    ],
)
def test_what_does_not_use_the_fields_or_is_sound_has_no_findings(text: str) -> None:
    assert judged(References(), text) == []


def test_an_unknown_target_is_named_with_its_place() -> None:
    found = judged(References(), "tasks: [{id: a, depends_on: [a2]}, {id: b, depends_on: zz}]")
    assert places(found) == [
        ("/tasks/0/depends_on/0", "unknown-reference"),
        ("/tasks/1/depends_on", "unknown-reference"),
    ]
    assert "a2" in found[0].message


def test_a_task_that_waits_for_itself_is_a_cycle() -> None:
    found = judged(References(), "tasks: [{id: a, depends_on: [a]}]")
    assert places(found) == [("/tasks/0/depends_on/0", "dependency-cycle")]


def test_a_cycle_is_told_with_its_way_around() -> None:
    text = "tasks: [{id: a, depends_on: [b]}, {id: b, depends_on: [c]}, {id: c, depends_on: [b]}]"
    (found,) = judged(References(), text)
    assert "b -> c -> b" in found.message
    assert found.path == "/tasks/2/depends_on/0"


def test_fields_are_configured() -> None:
    config = {"list": "steps", "id": ["key"], "references": ["after"]}
    text = "steps: [{key: a, after: [b]}]\ntasks: [{id: a, depends_on: [x]}]"
    assert places(judged(References(), text, config=config)) == [
        ("/steps/0/after/0", "unknown-reference")
    ]


def test_a_long_chain_needs_no_recursion() -> None:
    tasks = ", ".join(f"{{id: t{n}, depends_on: [t{n + 1}]}}" for n in range(5_000))
    assert judged(References(), f"tasks: [{tasks}, {{id: t5000}}]") == []


@given(st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=6, max_size=6))
def test_a_cycle_is_told_exactly_where_there_is_one(edges: list[list[int]]) -> None:
    tasks = [
        f"{{id: t{n}, depends_on: [{', '.join(f't{to}' for to in out)}]}}"
        for n, out in enumerate(edges)
    ]
    found = judged(References(), f"tasks: [{', '.join(tasks)}]")
    left = dict(enumerate(map(set, edges)))
    while free := [n for n, out in left.items() if not out]:
        for n in free:
            del left[n]
        left = {n: out - set(free) for n, out in left.items()}
    assert bool(found) is bool(left)
