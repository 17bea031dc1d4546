"""Histories that earlier releases wrote still verify and replay, record by record (R15)."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from bps.core.codec import SCHEMA
from bps.plans.events import BODIES
from tests.unit.replay.golden_history import GOLDEN, answer_of, dump, load, record
from tests.unit.replay.history import KEYS, Records, length, lived, under, verified

HISTORIES = sorted(GOLDEN.glob("*.jsonl"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_it_verifies_and_replays(path: Path) -> None:
    records, expected = load(path)
    assert verified(records).events == length(records)
    assert answer_of(records).items() >= expected.items()


def test_every_event_type_and_the_schema_of_today_have_a_history() -> None:
    types, schemas = set(), set()
    for path in HISTORIES:
        records, _ = load(path)
        for envelope in events(records):
            types.add(envelope["type"])
            schemas.add(envelope["schema"])
    assert types == set(BODIES)
    assert schemas == set(range(1, SCHEMA + 1))


def events(records: Records) -> list[dict[str, object]]:
    return [orjson.loads(records[key]) for key in under(records, KEYS.events)]


def test_a_recording_is_read_back_and_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.replay.golden_history.GOLDEN", tmp_path)
    path = record("new")
    assert load(path) == (lived(), answer_of(lived()))
    assert path.read_bytes() == dump(lived())
    with pytest.raises(FileExistsError):
        record("new")
