"""`bps review list` without a plan: what waits for a person, wherever it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.store.memory import MemoryStore
from tests.unit.cli.both_ways import Way, directly, through_the_service
from tests.unit.http.harness import token_of

BASE = b"title: one\nretries: 3\n"


def contradict(way: Way, plan: str) -> None:
    """Two repairs that contradict each other; their review is the answer to the promotion."""
    way.data("plan", "register", plan, "-", stdin=BASE)
    for n in (7, 9):
        cause = ("--trace-id", f"t-{n}", "--fingerprint", f"cause-{n}")
        opened = way.data("branch", "open", plan, *cause)
        way.data("branch", "submit", plan, opened["rr_plan"], "-", stdin=b"retries: %d\n" % n)
    assert way.bps("promote", plan).code == 1


def test_both_ways_list_what_is_open_of_all_plans(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    own = directly(monkeypatch, tmp_path, store)
    for plan in ("EP-2", "EP-10", "EP-3"):
        contradict(own, plan)
    own.data("plan", "register", "EP-4", "-", stdin=BASE)
    own.data("review", "reject", "EP-3-RV1", "--reason", "neither")
    asked = through_the_service(monkeypatch, tmp_path, store)
    for way in (own, asked):
        ran = way.bps("review", "list")
        assert ran.code == 0, ran
        assert ran.err == ""
        rows = [line.split()[:2] for line in ran.out.splitlines()[1:]]
        assert rows == [["EP-10-RV1", "OPEN"], ["EP-2-RV1", "OPEN"]]
    assert asked.data("review", "list") == own.data("review", "list")


def test_branches_are_listed_with_the_review_that_they_wait_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    own = directly(monkeypatch, tmp_path, store)
    contradict(own, "EP-2")
    own.data("branch", "open", "EP-2", "--trace-id", "t-1", "--fingerprint", "another")
    asked = through_the_service(monkeypatch, tmp_path, store)
    for way in (own, asked):
        rows = way.data("branch", "list", "EP-2")
        waiting = sorted((row["state"], row["in_review"]) for row in rows if row["in_review"])
        assert waiting == [("SUCCEEDED", "EP-2-RV1")] * 2
        assert [row["state"] for row in rows if row["in_review"] is None] == ["OPEN"]
    own.data("review", "reject", "EP-2-RV1", "--reason", "neither")
    assert {row["in_review"] for row in own.data("branch", "list", "EP-2")} == {None}


def test_it_says_where_some_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def unknown(*_: object) -> bool:
        return False

    monkeypatch.setattr("bps.sidecar.pending.PendingPromotions.known_within", unknown)
    ran = through_the_service(monkeypatch, tmp_path).bps("review", "list", "-o", "json")
    assert (ran.code, ran.out) == (0, "[]\n")
    assert "some reviews may be missing" in ran.err


def contradicted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Way, Way]:
    """One store with EP-2 in review, directly and through the service."""
    store = MemoryStore(SystemClock())
    own = directly(monkeypatch, tmp_path, store)
    contradict(own, "EP-2")
    return own, through_the_service(monkeypatch, tmp_path, store)


def test_both_ways_print_what_completing_would_publish(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own, asked = contradicted(monkeypatch, tmp_path)
    show = ("review", "show", "EP-2-RV1", "--result")
    for way in (own, asked):
        ran = way.bps(*show)
        assert ran.code == 0, ran
        marks = [line[:7] for line in ran.out.splitlines() if not line.startswith("retries")]
        assert marks == ["<<<<<<<", "|||||||", "=======", ">>>>>>>"]
        assert ran.err == (
            "EP-2-RV1: 1 conflict is undecided, which can bring up more; the rest is as it would "
            "be\n"
        )
    own.data("review", "resolve", "EP-2-RV1", "--path", "/retries", "--set", "8")
    for way in (own, asked):
        ran = way.bps(*show)
        assert (ran.code, ran.out) == (0, "retries: 8\n")
        assert ran.err == "EP-2-RV1: completing it publishes this on canonical version 1\n"
        refused = way.bps(*show, "-o", "json")
        assert (refused.code, refused.out) == (2, "")
    own.data("review", "complete", "EP-2-RV1")
    for way in (own, asked):
        ran = way.bps(*show)
        assert (ran.code, ran.out) == (1, "")
        assert "EP-2-RV1 has no result: it is COMPLETED." in ran.err
        assert "WRONG_STATE" in ran.err


def test_both_ways_take_a_value_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own, asked = contradicted(monkeypatch, tmp_path)
    asked.env["BPS_TOKEN"] = token_of("reviewer")
    decide = ("review", "resolve", "EP-2-RV1", "--path", "/retries", "--set", "-")
    for way, most in ((own, 4), (asked, 5)):
        way.data(*decide, stdin=b"# agreed\nmost: %d\n" % most)
        shown = way.bps("review", "show", "EP-2-RV1", "--result").out
        assert shown == f"retries:\n  # agreed\n  most: {most}\n"
        for refused, why in ((b"\xff", "is not UTF-8"), (b"x" * 65_537, "more than 65536 bytes")):
            ran = way.bps(*decide, stdin=refused)
            assert (ran.code, why in ran.err) == (2, True), ran


def test_both_ways_show_a_plan_with_its_open_review(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = MemoryStore(SystemClock())
    own = directly(monkeypatch, tmp_path, store)
    own.data("plan", "register", "EP-4", "-", stdin=BASE)
    contradict(own, "EP-2")
    asked = through_the_service(monkeypatch, tmp_path, store)
    for way in (own, asked):
        assert way.data("plan", "show", "EP-4")["open_review"] is None
        assert way.data("plan", "show", "EP-2")["open_review"] == "EP-2-RV1"
        rows = [line.split() for line in way.bps("plan", "show", "EP-2").out.splitlines()]
        assert ["open_review", "EP-2-RV1"] in rows
    own.data("review", "reject", "EP-2-RV1", "--reason", "neither")
    for way in (own, asked):
        assert way.data("plan", "show", "EP-2")["open_review"] is None


def test_what_a_claim_lists_is_said_to_be_of_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own, asked = contradicted(monkeypatch, tmp_path)
    said = (
        "`open` and `findings` are as of when EP-2-RV1 was computed last; "
        "`bps review show EP-2-RV1` computes them now"
    )
    asked.env["BPS_TOKEN"] = token_of("reviewer")
    for way in (asked, own):
        for act in ("claim", "release"):
            assert said in way.bps("review", act, "EP-2-RV1").err
    decide = ("review", "resolve", "EP-2-RV1", "--path", "/retries", "--set", "8")
    for way in (asked, own):
        ran = way.bps(*decide)
        assert (ran.code, said in ran.err) == (0, False)
    ran = own.bps("review", "reject", "EP-2-RV1", "--reason", "neither")
    assert (ran.code, said in ran.err) == (0, False)
