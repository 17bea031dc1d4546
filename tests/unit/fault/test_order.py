"""Revisions against real time and the model; degraded reads that go back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fault.check_order import check_order
from tests.fault.check_reads import check_reads
from tests.fault.history import Ok, Operation, Refused, Unknown
from tests.unit.fault.story import Story, digest_of, good


def _ok(operation: Operation) -> Ok:
    assert isinstance(operation.outcome, Ok)
    return operation.outcome


def test_a_write_with_an_older_revision_than_one_before_it_is_found() -> None:
    story = Story()
    story.register()
    first, second = story.open("a"), story.open("b")
    at = {first.id: 12, second.id: 11}
    story.events = [replace(e, revision=at.get(e.op_id, e.revision)) for e in story.events]
    found = check_order(story.history, story.final)
    assert [each.ops for each in found] == [(first.id, second.id)]


def test_writes_that_overlap_may_have_any_order() -> None:
    story = Story()
    story.register()
    first, second = story.open("a"), story.open("b")
    story.change(first, returned_ns=second.returned_ns)
    at = {first.id: 12, second.id: 11}
    story.events = [replace(e, revision=at.get(e.op_id, e.revision)) for e in story.events]
    assert check_order(story.history, story.final) == []


def test_a_late_effect_of_an_unknown_write_is_no_violation() -> None:
    story = Story()
    story.register()
    late = story.open("a", outcome=Unknown("ReadTimeout"), applied=False)
    story.open("b")
    story.revision += 1
    story.log("BRANCH_OPENED", late.id, trace_id=late.request["trace_id"])
    assert check_order(story.history, story.final) == []


def test_an_unknown_write_that_took_effect_before_its_call_is_found() -> None:
    story = Story()
    story.register()
    story.open("a")
    early = story.open("b", outcome=Unknown("ReadTimeout"), applied=False)
    story.revision = 10
    story.log("BRANCH_OPENED", early.id)
    found = check_order(story.history, story.final)
    assert any(early.id in each.ops for each in found)


def test_a_stale_read_is_found() -> None:
    story = good()
    read = next(each for each in story.operations[5:] if each.kind == "read")
    story.change(read, outcome=replace(_ok(story.operations[1]), revision=10))
    assert any(read.id in each.ops for each in check_order(story.history, story.final))


@pytest.mark.parametrize("kind", ["read", "degraded_read"])
def test_a_read_that_says_what_was_not_so_at_its_revision_is_found(kind: Any) -> None:
    story = Story()
    story.register()
    read = story.read(kind)
    told = {"version": 1, "digest": digest_of("of nobody")}
    story.change(read, outcome=replace(_ok(read), result=told))
    found = check_order(story.history, story.final)
    assert [each.ops for each in found] == [(read.id,)]


def test_a_degraded_read_may_be_old() -> None:
    story = Story()
    story.register()
    old = _ok(story.read())
    story.cycle()
    for label in ("serializable", "cache"):
        read = story.read()
        story.change(read, outcome=replace(old, consistency=label))
    story.change(story.read("degraded_read"), outcome=old)
    assert check_order(story.history, story.final) == []


def test_a_promotion_over_a_newer_version_is_found() -> None:
    story = Story()
    story.register()
    opened = story.open("b")
    story.submit(opened, "first writer")
    story.cycle("a", "v2")
    story.rebase(opened)
    # The revision before the rebase is promoted as if canonical had not moved.
    told = {"how": "promotion", "version": 3, "digest": digest_of("first writer")}
    wrong = story.promote(outcome=Ok(told), applied=False)
    refs = [(opened.outcome.result["branch"], 1)] if isinstance(opened.outcome, Ok) else []
    story.change(wrong, request={"refs": refs})
    story.revision += 1
    story.log("BLUEPRINT_PROMOTED", wrong.id, version=3, digest=digest_of("first writer"))
    found = check_order(story.history, story.final)
    assert [each.ops for each in found] == [(wrong.id,)]
    assert "cannot follow" in found[0].what


def test_a_merge_that_lost_a_line_is_found_although_nobody_was_told_its_digest() -> None:
    story = Story()
    story.register()
    first, second = story.open("a"), story.open("b")
    story.submit(first, "one")
    alone = story.submit(second, "two")
    story.promote(first)
    merged = story.promote(second)
    assert check_order(story.history, story.final) == []
    lost = replace(story.events[-1], digest=alone.request["digest"])
    story.events[-1] = lost
    story.change(merged, outcome=Unknown("OUTCOME_UNKNOWN"))
    found = check_order(story.history, story.final)
    assert [(each.kind, each.ops) for each in found] == [("lost", (merged.id,))]


def test_degraded_reads_of_one_client_must_not_go_back() -> None:
    story = Story()
    story.register()
    old = _ok(story.read("degraded_read"))
    story.cycle()
    new = story.read("degraded_read")
    again = story.change(story.read("degraded_read"), outcome=old)
    found = check_reads(story.history)
    assert [each.ops for each in found] == [(new.id, again.id)]
    without = story.change(again, outcome=replace(old, revision=None))
    assert [each.ops for each in check_reads(story.history)] == [(new.id, without.id)]
    level = replace(old, revision=_ok(new).revision)
    story.change(without, outcome=level)
    assert "from version 2 to 1" in check_reads(story.history)[0].what


@pytest.mark.parametrize("change", [{"client": 1}, {"sidecar": "s2"}, {"plan": "EP-2"}])
def test_others_may_be_behind(change: dict[str, Any]) -> None:
    story = Story()
    story.register()
    old = _ok(story.read("degraded_read"))
    story.cycle()
    story.read("degraded_read")
    story.change(story.read("degraded_read"), outcome=old, **change)
    assert check_reads(story.history) == []


def test_a_refused_read_says_nothing() -> None:
    story = Story()
    story.register()
    story.read("degraded_read")
    story.read("degraded_read", outcome=Refused("STORE_UNAVAILABLE"))
    assert check_reads(story.history) == []
    assert check_order(story.history, story.final) == []
