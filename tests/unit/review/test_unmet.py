"""What becomes of decisions that meet no conflict now (R7)."""

from __future__ import annotations

import pytest

from bps.candidates.candidate import Attempt
from bps.merge.records import ABSENT, Conflict, Kind
from bps.plans.reviews import ReviewResolution
from bps.review.overridden import overridden
from bps.review.unmet import fate_of


def decision(path: str, text: str = "8", conflict: str | None = None) -> ReviewResolution:
    return ReviewResolution(
        conflict=conflict or f"id of {path}", path=path, take=None, text=text, by="ann", at_ms=1
    )


def conflict(path: str, conflict: str, kind: Kind = Kind.BOTH_MODIFIED) -> Conflict:
    return Conflict(conflict, path, None, kind, ABSENT, (), "", None, None)


def test_what_meets_its_conflict_is_kept_and_nothing_is_told() -> None:
    held = decision("/a")
    assert fate_of([held], Attempt("text", applied=(held.conflict,))) == ([held], [], [])


def test_what_may_come_up_again_once_the_rest_is_decided_waits() -> None:
    waiting = decision("/a")
    attempt = Attempt(None, conflicts=(conflict("/b", "new"),))
    kept, dropped, (told,) = fate_of([waiting], attempt)
    assert (kept, dropped) == ([waiting], [])
    assert (told.path, told.code, told.severity) == ("/a", "waiting", "warning")
    assert told.message == (
        "What ann decided here (= 8) counts nothing now; it is kept, and holds where its conflict "
        "comes up again."
    )


def test_what_nothing_is_known_of_as_a_text_cannot_be_read_waits() -> None:
    waiting = decision("/a")
    kept, dropped, told = fate_of([waiting], Attempt(None, unreadable=("canonical",)))
    assert (kept, dropped, [each.code for each in told]) == ([waiting], [], ["waiting"])


def test_what_a_decision_of_a_larger_place_replaced_waits_as_that_is_told_each_time() -> None:
    inner, outer = decision("/a/b"), decision("/a", conflict="veto")
    settled = (conflict("/a", "veto", Kind.SEMANTIC),)
    attempt = Attempt("text", applied=("veto",), settled=settled)
    assert fate_of([inner, outer], attempt) == ([inner, outer], [], [])


def test_a_decision_whose_place_has_changed_is_told_as_dropped() -> None:
    attempt = Attempt(None, conflicts=(conflict("/a", "new"),))
    kept, (told,), _ = fate_of([decision("/a")], attempt)
    assert kept == []
    assert (told.source, told.severity, told.path) == ("review", "warning", "/a")
    assert told.code == "dropped"
    assert told.message == (
        "What ann decided here (= 8) holds no more: what the versions have here is another thing "
        "now."
    )
    assert told.hint == "decide it anew"


@pytest.mark.parametrize(
    ("kind", "kept"), [(Kind.LIST_INSERT, False), (Kind.ANCHOR, True), (Kind.DOCUMENT, True)]
)
def test_a_conflict_around_a_decision_is_about_its_values_unless_decisions_bring_it_up(
    kind: Kind, *, kept: bool
) -> None:
    attempt = Attempt(None, conflicts=(conflict("/a", "new", kind),))
    assert bool(fate_of([decision("/a/b")], attempt).kept) is kept


def test_a_decision_of_what_nobody_contests_any_more_is_told_as_dropped() -> None:
    kept, (told,), _ = fate_of([decision("", "x" * 500)], Attempt("text"))
    assert kept == []
    assert told.message.startswith("What ann decided here (= xxx")
    assert told.message.endswith("...) holds no more: nothing is in conflict here now.")
    assert len(told.message) < 300
    assert "bps log" in told.hint


def test_what_a_veto_is_about_is_written_over_a_larger_place_that_was_decided() -> None:
    around = conflict("/a", "around", Kind.ANCHOR)
    vetoed = conflict("/a/b", "vetoed", Kind.SEMANTIC)
    decisions = [decision("/a/b", conflict="vetoed"), decision("/a/c")]
    told = overridden([*decisions, decision("/a", conflict="around")], [around, vetoed])
    assert [each.path for each in told] == ["/a/c"]
