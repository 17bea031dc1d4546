"""The lines of `bps log` answer who did what, to what, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bps.cli.log_row import COLUMNS, log_row
from bps.plans.cloudevents import CloudEvent, cloud_event
from bps.plans.events import Envelope
from tests.unit.replay.history import KEYS, length, lived


def events() -> list[CloudEvent]:
    records = lived()
    numbers = range(1, length(records) + 1)
    return [
        cloud_event(Envelope.decode(records[KEYS.event(n)]), records[KEYS.body(n)]) for n in numbers
    ]


def rows() -> list[dict[str, str]]:
    return [log_row(event) for event in events()]


def test_every_event_has_a_whole_row() -> None:
    for row in rows():
        assert tuple(row) == COLUMNS
        assert all(row.values()), row


def test_a_promotion_names_version_origin_and_reason() -> None:
    promotions = [row["what"] for row in rows() if row["type"] == "blueprint_promoted"]
    assert any(what.startswith("version 2; from EP-1-RR(br") for what in promotions)
    assert any("; back to " in what for what in promotions)


def test_a_nullification_names_the_rr_plan_and_its_state() -> None:
    nullified = [row["what"] for row in rows() if row["type"] == "vc_nullify"]
    assert nullified
    assert all("; OBSOLETE_" in what for what in nullified)


def review_row(kind: str, **data: Any) -> str:
    """What the row of a review's event says."""
    found = next(each for each in events() if each.type.endswith(kind))
    what: str = log_row(found.model_copy(update={"data": {"n": "1", **data}}))["what"]
    return what


def opened(
    *paths: str, total: int, findings: int = 0, carried: int = 0, dropped: Sequence[str] = ()
) -> str:
    return review_row(
        "review_opened",
        contributors=[{"rr_plan": "EP-1-RR(br0a)-1"}],
        conflicts=[{"id": path, "path": path, "why": "semantic"} for path in paths],
        conflicts_total=total,
        findings=[{"path": path, "code": "dropped"} for path in dropped],
        findings_total=findings,
        carried=["c"] * carried,
    )


def test_a_review_names_what_there_is_to_decide() -> None:
    who = "EP-1-RV1; from EP-1-RR(br0a)-1"
    assert opened("/a", "", total=2) == f"{who}; 2 undecided: /a, (root)"
    assert opened(*"abcd", total=9) == f"{who}; 9 undecided: a, b, c, 6 more places"
    assert opened(*"abcd", total=4).endswith("; 4 undecided: a, b, c, 1 more place")
    assert opened(total=0, findings=1, carried=2) == f"{who}; 1 finding; 2 decisions kept"
    told = opened(total=0, findings=2, dropped=["/a", ""])
    assert told == f"{who}; 2 findings; dropped: /a, (root)"


def test_a_claim_says_until_when_and_a_release_is_no_claim() -> None:
    time = "2026-11-21T20:33:12.792Z"
    claimed = next(each for each in events() if each.type.endswith("review_claimed"))

    def told(until_ms: int, *, holds: bool) -> str:
        data = {"n": "1", "until_ms": until_ms, "holds": holds}
        what: str = log_row(claimed.model_copy(update={"data": data, "time": time}))["what"]
        return what

    released_ms = 1_795_293_192_792
    assert told(released_ms, holds=False) == "EP-1-RV1; released"
    later = "EP-1-RV1; until 2026-11-21T20:43:12.792Z"
    assert told(released_ms + 600_000, holds=False) == later
    assert told(released_ms + 600_000, holds=True) == f"{later}; promotions by others wait"


def test_a_decision_names_its_place_and_its_value_shortly() -> None:
    made = [
        {"path": "/retries", "take": None, "text": "10"},
        {"path": "", "take": "base", "text": None},
        {"path": "/notes", "take": None, "text": f"|\n  {'x' * 60}\n"},
    ]
    told = ["/retries = 10", "(root) take base", f"/notes = | {'x' * 38}..."]
    assert review_row("review_resolved", resolutions=made) == "; ".join(["EP-1-RV1", *told])
    assert review_row("review_resolved", resolutions=[*made, *made]).endswith("; 3 more decisions")


def test_the_decisions_of_a_history_are_in_its_rows() -> None:
    resolved = [row["what"] for row in rows() if row["type"] == "review_resolved"]
    assert resolved
    assert all("/name = decided" in what for what in resolved)
