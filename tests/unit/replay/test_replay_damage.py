"""`replay` names the record that is not what the events say, and the event that cannot follow."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core.codec import SCHEMA, canonical_json
from bps.core.errors import ChainBroken, ReplayDiverged, SchemaTooNew
from bps.plans.events import BODIES
from bps.plans.model import Head
from tests.doubles import PLAN
from tests.unit.replay.history import (
    KEYS,
    Records,
    flipped,
    forged,
    index_of,
    length,
    lived,
    replayed,
    under,
    verified,
)

EVENTS = length(lived())
RECORDS = [
    KEYS.record,
    KEYS.canonical,
    *under(lived(), KEYS.versions),
    *under(lived(), KEYS.branches),
    *under(lived(), KEYS.rr_plans),
]
records_keys = st.sampled_from(RECORDS)


def diverged(records: Records) -> dict[str, Any]:
    """What `replay` names; `verify` finds nothing, as the log itself is sound."""
    assert verified(records).events == length(records)
    with pytest.raises(ReplayDiverged) as caught:
        replayed(records)
    assert PLAN in caught.value.message
    return caught.value.facts


@given(records_keys, st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_of_a_record_names_its_key(key: bytes, position: int, mask: int) -> None:
    records = lived()
    records[key] = flipped(records[key], position, mask)
    assert diverged(records)["key"] == key.decode()


@pytest.mark.parametrize("key", RECORDS, ids=lambda key: key.decode()[14:])
def test_a_missing_or_empty_record_names_its_key(key: bytes) -> None:
    records = lived()
    assert diverged({**records, key: b""})["key"] == key.decode()
    del records[key]
    assert diverged(records)["key"] == key.decode()


@pytest.mark.parametrize("prefix", [KEYS.versions, KEYS.branches, KEYS.rr_plans])
def test_two_records_that_were_swapped_name_one_of_them(prefix: bytes) -> None:
    records = lived()
    one, other = under(records, prefix)[:2]
    records[one], records[other] = records[other], records[one]
    assert diverged(records)["key"] in {one.decode(), other.decode()}


BRANCH = under(lived(), KEYS.branches)[0].rpartition(b"/")[2].decode()


@pytest.mark.parametrize(
    "key",
    [
        KEYS.version(99),
        KEYS.version(0),
        KEYS.versions + b"x",
        KEYS.version(1) + b"/x",
        KEYS.branch("f" * 40),
        KEYS.branch(BRANCH) + b"/x",
        KEYS.rr_plan(BRANCH, 99),
        KEYS.rr_plan(BRANCH, 0),
        KEYS.rr_plan("f" * 40, 1),
        KEYS.rr_plans + b"x",
        KEYS.root + b"heads",
        KEYS.root + b"zzz",
        KEYS.root,
    ],
    ids=lambda key: key.decode()[14:],
)
def test_a_record_that_no_event_derives_is_named(key: bytes) -> None:
    records = lived()
    assert diverged({**records, key: records[KEYS.canonical]})["key"] == key.decode()


def test_a_missing_blueprint_is_named() -> None:
    for key in under(lived(), KEYS.blobs):
        records = lived()
        del records[key]
        assert diverged(records)["key"] == key.decode()


@pytest.mark.parametrize(
    ("event_type", "changes"),
    [
        ("TRACE_LINKED", {"type": "BLUEPRINT_PAINTED"}),
        ("TRACE_LINKED", {"type": "BRANCH_SUCCEEDED"}),
        ("TRACE_LINKED", {"branch": None}),
        ("TRACE_LINKED", {"branch": ""}),
        ("TRACE_LINKED", {"branch": "f" * 40, "actor": "f" * 40}),
        ("TRACE_LINKED", {"rr": None}),
        ("TRACE_LINKED", {"rr": "7"}),
        ("TRACE_LINKED", {"surplus": 1}),
        ("TRACE_LINKED", {"counter": 1.5}),
        ("BRANCH_SUCCEEDED", {"actor": "canonical"}),
        ("BRANCH_SUCCEEDED", {"counter": "77"}),
        ("BRANCH_SUCCEEDED", {"clock_digest": "f" * 64}),
        ("BRANCH_SUCCEEDED", {"time_ms": 1}),
        ("PLAN_REGISTERED", {"branch": "f" * 40, "actor": "f" * 40}),
    ],
)
def test_an_event_that_cannot_follow_is_named(event_type: str, changes: dict[str, Any]) -> None:
    index = index_of(lived(), event_type)
    records = forged(lived(), index, envelope=lambda fields: fields.update(changes))
    assert diverged(records)["index"] == index


@pytest.mark.parametrize(
    ("event_type", "changes"),
    [
        ("PLAN_REGISTERED", {"digest": "f" * 64}),
        ("PLAN_REGISTERED", {"size_bytes": 2**60}),
        ("PLAN_REGISTERED", {"title": "another"}),
        ("BRANCH_OPENED", {"base_version": "9"}),
        ("BRANCH_SUCCEEDED", {"digest": "f" * 64}),
        ("VC_NULLIFY", {"status": "OPEN"}),
        ("VC_NULLIFY", {"status": "OBSOLETE_REJECTED"}),
        ("BLUEPRINT_PROMOTED", {"version": "9"}),
        ("BLUEPRINT_PROMOTED", {"version": "9999999999999999999"}),
        ("BLUEPRINT_PROMOTED", {"contributors": []}),
        ("TRACE_LINKED", {"keep_name": False}),
    ],
)
def test_a_body_rewritten_by_a_forger_diverges(event_type: str, changes: dict[str, Any]) -> None:
    index = index_of(lived(), event_type)
    diverged(forged(lived(), index, body=lambda fields: fields.update(changes)))


json_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["1", "2", "canonical", "OPEN", "f" * 64, *BODIES]),
    st.just([]),
    st.just({"canonical": "3"}),
)


@given(st.integers(1, EVENTS), st.data())
def test_no_forged_event_makes_replay_fail_without_a_name(index: int, data: Any) -> None:
    records = lived()
    part = data.draw(st.sampled_from(["envelope", "body"]))
    key = KEYS.event(index) if part == "envelope" else KEYS.body(index)
    before = orjson.loads(records[key])
    chained = {"seq", "plan", "prev", "body_digest"}
    name = data.draw(st.sampled_from(sorted(set(before) - chained)))
    value = data.draw(json_values)
    damage: dict[str, Callable[[dict[str, Any]], None]] = {
        part: lambda fields: fields.update({name: value})
    }
    with suppress(ReplayDiverged, SchemaTooNew, ChainBroken):
        replayed(forged(records, index, **damage))


@pytest.mark.parametrize("part", ["envelope", "body"])
def test_a_log_of_a_newer_release_is_refused_as_such(part: str) -> None:
    damage: dict[str, Any] = {part: lambda fields: fields.update(schema=SCHEMA + 2)}
    records = forged(lived(), 3, **damage)
    assert verified(records).events == EVENTS
    with pytest.raises(SchemaTooNew) as caught:
        replayed(records)
    where = KEYS.event(3) if part == "envelope" else KEYS.body(3)
    assert caught.value.facts == {
        "schema": SCHEMA + 2,
        "readable": SCHEMA + 1,
        "key": where.decode(),
    }


def test_a_plan_without_any_event_was_never_registered() -> None:
    records = {
        KEYS.record: lived()[KEYS.record],
        KEYS.head: Head(seq=0, hash="0" * 64, time_ms=0).encode(),
    }
    assert diverged(copy.copy(records)) == {"plan": PLAN}


def test_records_are_compared_byte_for_byte() -> None:
    records = lived()
    spaced = orjson.dumps(orjson.loads(records[KEYS.canonical]), option=orjson.OPT_INDENT_2)
    assert canonical_json(orjson.loads(spaced)) == records[KEYS.canonical]
    assert diverged({**records, KEYS.canonical: spaced})["key"] == KEYS.canonical.decode()
