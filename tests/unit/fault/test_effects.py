"""Acknowledged exactly once, unknown at most once, refused never."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fault.check import check_history
from tests.fault.check_effects import check_effects
from tests.fault.history import Ok, Refused, Unknown
from tests.unit.fault.story import TERMS, Story, good, kinds


def test_a_good_history_passes_every_checker() -> None:
    story = good()
    assert check_history(story.history, story.final, TERMS) == []


@pytest.mark.parametrize("index", range(len(good().operations)))
def test_each_acknowledged_write_is_missed_when_its_events_are_gone(index: int) -> None:
    story = good()
    operation = story.operations[index]
    if not operation.writes:
        return
    story.forget(operation)
    assert [(each.kind, each.ops) for each in check_effects(story.history, story.final)] == [
        ("lost", (operation.id,))
    ]


@pytest.mark.parametrize("field", ["version", "digest"])
def test_an_effect_that_differs_from_the_answer_is_a_loss(field: str) -> None:
    story = Story()
    story.register()
    promoted = story.cycle()
    assert isinstance(promoted.outcome, Ok)
    told = {**promoted.outcome.result, field: 7}
    story.change(promoted, outcome=Ok(told))
    found = check_effects(story.history, story.final)
    assert kinds(found) == {"lost"}
    assert field in found[0].what


@pytest.mark.parametrize("outcome", [None, Unknown("OUTCOME_UNKNOWN")])
def test_an_operation_that_took_effect_twice_is_found(outcome: Unknown | None) -> None:
    story = Story()
    story.register()
    promoted = story.cycle(outcome=outcome)
    effect = story.events[-1]
    story.events.append(replace(effect, seq=effect.seq + 1, revision=effect.revision + 1))
    story.events[-1] = replace(story.events[-1], created=effect.revision + 1)
    found = check_effects(story.history, story.final)
    assert kinds(found) == {"duplicated"}
    assert promoted.id in found[0].ops


def test_one_content_under_two_operations_is_a_duplicate() -> None:
    story = Story()
    story.register()
    opened = story.open()
    first = story.submit(opened, "same")
    second = story.do("submit", {}, outcome=Unknown("x"), applied=False)
    story.revision += 1
    story.log("BRANCH_SUCCEEDED", second.id, digest=first.request["digest"])
    found = check_effects(story.history, story.final)
    assert kinds(found) == {"duplicated"}
    assert found[0].ops == (first.id, second.id)


@pytest.mark.parametrize("applied", [True, False])
def test_an_unknown_write_may_be_there_or_not(applied: bool) -> None:
    story = Story()
    story.register()
    story.open(outcome=Unknown("OUTCOME_UNKNOWN"), applied=applied)
    assert check_history(story.history, story.final, TERMS) == []


def test_a_refused_write_must_not_be_there() -> None:
    story = Story()
    story.register()
    opened = story.open(outcome=Refused("STORE_UNAVAILABLE"))
    found = check_effects(story.history, story.final)
    assert [each.ops for each in found] == [(opened.id,)]
    assert "refused (STORE_UNAVAILABLE)" in found[0].what


def test_a_write_that_nobody_asked_for_is_found() -> None:
    story = Story()
    story.register()
    story.revision += 1
    story.log("BRANCH_OPENED", "of-nobody")
    found = check_effects(story.history, story.final)
    assert [each.ops for each in found] == [("of-nobody",)]


def test_a_noop_that_wrote_is_found() -> None:
    story = Story()
    story.register()
    opened = story.open()
    story.change(opened, outcome=Ok({"receipt": None}, "noop"))
    assert "said to change nothing" in check_effects(story.history, story.final)[0].what


def test_an_event_that_was_overwritten_is_a_loss() -> None:
    story = Story()
    story.register()
    story.cycle()
    story.events[1] = replace(story.events[1], created=3)
    found = check_effects(story.history, story.final)
    assert kinds(found) == {"lost"}
    assert "overwritten" in found[0].what


def test_a_write_in_another_plan_is_found() -> None:
    story = Story()
    operation = story.register()
    story.events[0] = replace(story.events[0], plan="EP-2")
    found = check_effects(story.history, story.final)
    assert [(each.kind, each.ops) for each in found] == [("non-linearizable", (operation.id,))]
