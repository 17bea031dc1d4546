"""A log that the next release went on with verifies, and replays in what this one knows (R15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from bps.core.codec import NEXT_SCHEMA, SCHEMA, canonical_json
from bps.core.errors import ReplayDiverged, SchemaTooNew
from tests.unit.replay.history import (
    KEYS,
    Records,
    forged,
    index_of,
    length,
    lived,
    replayed,
    under,
    verified,
)

OTHERS = {KEYS.record, KEYS.canonical, KEYS.newest_review}

COUNTED = (KEYS.branches, KEYS.versions, KEYS.rr_plans, KEYS.reviews)


def rewritten(
    records: Records, wanted: Callable[[bytes], bool], **changes: object
) -> tuple[Records, int]:
    """The records that events derive and `wanted` chooses, as the next release would store them."""
    changed = 0
    for key in records:
        derived = key in OTHERS or key.startswith(COUNTED)
        if derived and wanted(key):
            fields = {**orjson.loads(records[key]), "schema": NEXT_SCHEMA, **changes}
            records[key] = canonical_json(fields)
            changed += 1
    return records, changed


def test_records_of_the_next_release_are_compared_in_what_is_known_and_counted() -> None:
    records, changed = rewritten(lived(), lambda _: True, label={"of": ["next"]})
    answer = replayed(records)
    assert answer.next_release == changed == answer.records > 10
    assert replayed(lived()).next_release == 0


def test_events_of_the_next_release_are_applied_in_what_is_known() -> None:
    def of_next(fields: dict[str, Any]) -> None:
        fields.update(schema=NEXT_SCHEMA, label="next")

    records = lived()
    for index in range(1, length(records) + 1):
        records = forged(records, index, envelope=of_next, body=of_next)
    assert verified(records).events == length(records)
    assert replayed(records).next_release == 0


@pytest.mark.parametrize("prefix", [KEYS.rr_plans, KEYS.versions, KEYS.branches, KEYS.canonical])
def test_a_known_field_that_the_events_do_not_say_is_found_under_any_number(prefix: bytes) -> None:
    key = under(lived(), prefix)[0]
    known = {"summary": "x"} if prefix == KEYS.rr_plans else {"reason": "x"}
    changes = {"trace_id": "x"} if prefix == KEYS.branches else known
    records, changed = rewritten(lived(), lambda each: each == key, **changes)
    assert changed == 1
    with pytest.raises(ReplayDiverged) as caught:
        replayed(records)
    assert caught.value.facts["key"] == key.decode()


def test_other_bytes_of_the_same_record_are_found_under_the_next_number() -> None:
    records, _ = rewritten(lived(), lambda key: key == KEYS.canonical)
    records[KEYS.canonical] = records[KEYS.canonical].replace(b"{", b"{ ", 1)
    with pytest.raises(ReplayDiverged):
        replayed(records)


@pytest.mark.parametrize("change", [{"label": 2}, {"schema": NEXT_SCHEMA + 1}])
def test_a_record_that_cannot_be_read_is_no_divergence(change: dict[str, int]) -> None:
    records, _ = rewritten(lived(), lambda key: key == KEYS.canonical, **change)
    if "label" in change:
        fields = orjson.loads(records[KEYS.canonical])
        del fields["reason"]
        records[KEYS.canonical] = canonical_json(fields)
    with pytest.raises(SchemaTooNew) as caught:
        replayed(records)
    assert caught.value.facts["key"] == KEYS.canonical.decode()


@pytest.mark.parametrize("schema", [SCHEMA, NEXT_SCHEMA])
def test_an_event_type_is_unknown_or_of_the_next_release(schema: int) -> None:
    index = index_of(lived(), "TRACE_LINKED")
    records = forged(
        lived(), index, envelope=lambda fields: fields.update(type="PAINTED", schema=schema)
    )
    with pytest.raises(SchemaTooNew if schema == NEXT_SCHEMA else ReplayDiverged):
        replayed(records)
