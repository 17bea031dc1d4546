"""The search for an order: it accepts what can have been so, and finds what cannot."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.fault.history import Kind, Ok, Operation, Refused, Unknown
from tests.fault.linearizable import SearchTimedOut, check_linearizable, first_impossible
from tests.fault.model import PlanState, Rejected, after, apply
from tests.unit.fault.story import PLAN, Story, good, named

CAUSES = ("a", "b", "c")
ACTS: tuple[Kind, ...] = ("open", "submit", "rebase", "promote", "read")


def _random_story(draw: st.DataObject, size: int) -> Story:
    """A sequential history: any act that the state allows or refuses, with its true answer."""
    story = Story()
    story.register()
    for number in range(size):
        kind = draw.draw(st.sampled_from(ACTS))
        cause = draw.draw(st.sampled_from(CAUSES))
        known = story.state.of_cause(cause)
        request: dict[str, Any] = {"trace_id": f"trace {number}", "fingerprint": cause}
        if kind == "read":
            story.read()
            continue
        if kind == "promote" and known is None:
            request = {"refs": []}
        elif kind != "open":
            if known is None:
                continue
            request = story.submission(known.branch, known.n, f"content {number}")
            if kind == "promote":
                names_it = draw.draw(st.booleans())
                request = {"refs": [(known.branch, known.n)] if names_it else []}
        told = Operation(0, "", kind, PLAN, request, 0, 0, Ok({}))
        step = apply(story.state, told)
        if isinstance(step, Rejected):
            story.do(kind, request, outcome=Refused(min(step.codes)), applied=False)
        else:
            story.do(kind, request)
    return story


def _overlapping(operations: list[Operation], seed: int) -> list[Operation]:
    """Longer intervals around the instants at which the operations truly took effect."""
    random = Random(seed)
    return [
        replace(
            each,
            called_ns=each.called_ns - random.randrange(60),
            returned_ns=(each.returned_ns or 0) + random.randrange(60),
        )
        for each in operations
    ]


@given(st.data(), st.integers(0, 30), st.integers())
@settings(max_examples=60)
def test_sequential_histories_stay_possible_when_their_intervals_overlap(
    data: st.DataObject, size: int, seed: int
) -> None:
    story = _random_story(data, size)
    assert first_impossible(story.operations) is None
    assert first_impossible(_overlapping(story.operations, seed)) is None


@given(st.data(), st.integers(4, 30), st.integers())
@settings(max_examples=60)
def test_an_unknown_answer_never_makes_a_history_impossible(
    data: st.DataObject, size: int, seed: int
) -> None:
    story = _random_story(data, size)
    random = Random(seed)
    operations = [
        replace(each, outcome=Unknown("x"), returned_ns=None) if random.random() < 0.2 else each
        for each in _overlapping(story.operations, seed)
    ]
    assert first_impossible(operations) is None
    persisted = {each.op_id for each in story.events}
    assert first_impossible(operations, persisted=persisted) is None


@given(st.data(), st.integers(4, 30))
@settings(max_examples=60)
def test_one_changed_answer_makes_a_sequential_history_impossible(
    data: st.DataObject, size: int
) -> None:
    story = _random_story(data, size)
    chosen = data.draw(st.sampled_from(story.operations))
    assume(isinstance(chosen.outcome, Ok))
    assert isinstance(chosen.outcome, Ok)
    fields = sorted(set(chosen.outcome.result) - {"receipt", "act", "how", "state"})
    field = data.draw(st.sampled_from(fields))
    wrong = {**chosen.outcome.result, field: "of nobody"}
    changed = story.change(chosen, outcome=Ok(wrong, revision=chosen.outcome.revision))
    assert first_impossible(story.operations) == changed


@given(st.data(), st.integers(4, 30))
@settings(max_examples=60)
def test_a_forgotten_promotion_makes_a_history_impossible(data: st.DataObject, size: int) -> None:
    story = _random_story(data, size)
    story.cycle("of the end", "the last content")
    *_, lost = story.operations
    read = story.read()
    kept = [each for each in story.operations if each is not lost]
    assert first_impossible(kept) == read
    # Had its answer been lost, it could have taken effect.
    kept.append(replace(lost, outcome=Unknown("x"), returned_ns=None))
    assert first_impossible(kept) is None
    assert first_impossible(kept, persisted={lost.id}) is None
    others = {each.op_id for each in story.events} - {lost.id}
    assert first_impossible(kept, persisted=others) == read


def test_two_promotions_of_the_same_base_are_merged_and_neither_is_overwritten() -> None:
    story = Story()
    story.register()
    first, second = story.open("a"), story.open("b")
    story.submit(first, "one")
    submitted = story.submit(second, "two")
    story.promote(first)
    told = Ok({"how": "promotion", "version": 3, "digest": submitted.request["digest"]})
    wrong = story.promote(outcome=told, applied=False)
    ref = named(second)
    wrong = story.change(wrong, request={"refs": [(ref["branch"], ref["n"])]})
    found = check_linearizable(story.history, story.final)
    assert [(each.kind, each.ops) for each in found] == [("non-linearizable", (wrong.id,))]
    story.operations.remove(wrong)
    story.promote(second)
    assert set(story.state.canonical.lines.values()) == {"v1", "one", "two"}
    assert check_linearizable(story.history, story.final) == []


def test_a_refusal_that_no_state_explains_is_found() -> None:
    story = Story()
    story.register()
    opened = story.open()
    story.submit(opened, "v2")
    refused = story.promote(opened, outcome=Refused("MERGE_CONFLICT"), applied=False)
    assert first_impossible(story.operations) == refused
    story.change(refused, outcome=Refused("STORE_UNAVAILABLE"))
    assert first_impossible(story.operations) is None


def test_what_must_have_taken_effect_and_cannot_have_is_found() -> None:
    story = Story()
    story.register()
    opened = story.open()
    early = story.promote(opened, outcome=Unknown("x"), applied=False)
    assert first_impossible(story.operations) is None
    assert first_impossible(story.operations, persisted={early.id}) == early


def test_a_wrong_model_fails_on_a_true_history() -> None:
    def forgetful(state: PlanState, operation: Operation) -> PlanState | None:
        following = after(state, operation)
        return state if following is not None and operation.kind == "promote" else following

    assert first_impossible(good().operations) is None
    assert first_impossible(good().operations, after=forgetful) is not None


def test_a_search_that_does_not_end_is_a_failure() -> None:
    story = good()
    with pytest.raises(SearchTimedOut):
        first_impossible(story.operations, deadline=time.monotonic() - 1)
    found = check_linearizable(story.history, story.final, limit_s=-1)
    assert [each.kind for each in found] == ["non-linearizable"]
    assert "did not end" in found[0].what
