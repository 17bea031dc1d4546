"""The lines of `bps log` answer who did what, to what, and why."""

from __future__ import annotations

from bps.cli.log_row import COLUMNS, log_row
from bps.plans.cloudevents import cloud_event
from bps.plans.events import Envelope
from tests.unit.replay.history import KEYS, length, lived


def rows() -> list[dict[str, str]]:
    records = lived()
    numbers = range(1, length(records) + 1)
    return [
        log_row(cloud_event(Envelope.decode(records[KEYS.event(n)]), records[KEYS.body(n)]))
        for n in numbers
    ]


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
