"""`verify` names the first bad event of any damage to the log, to the head and to blueprints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bps.core.chain import GENESIS
from bps.core.codec import NEXT_SCHEMA, SCHEMA, canonical_json, sha256_hex
from bps.core.errors import ChainBroken, DigestMismatch, NotFound, SchemaTooNew
from bps.core.keys import last_number
from bps.plans.blob import unpack
from bps.plans.model import Head
from bps.plans.results import Receipt
from tests.doubles import PLAN
from tests.unit.replay.history import (
    KEYS,
    Records,
    forged,
    length,
    lived,
    replayed,
    under,
    verified,
)

EVENTS = length(lived())
indexes = st.integers(1, EVENTS)
masks = st.integers(1, 255)
positions = st.integers(0, 10_000)
logs = st.sampled_from([KEYS.event, KEYS.body])


def broken(records: Records, receipt: Receipt | None = None) -> Any:
    """The index that `verify` names; `replay` names the same."""
    with pytest.raises(ChainBroken) as caught:
        verified(records, receipt)
    assert caught.value.facts["plan"] == PLAN
    index = caught.value.facts["index"]
    assert f"event {index}" in caught.value.message or index == 0
    if receipt is None:
        with pytest.raises(ChainBroken) as again:
            replayed(records)
        assert again.value.facts == caught.value.facts
    return index


def test_a_sound_log_passes() -> None:
    records = lived()
    answer = verified(records)
    assert (answer.events, answer.blobs) == (EVENTS, len(under(records, KEYS.blobs)))
    assert answer.head == Head.decode(records[KEYS.head]).hash
    assert replayed(records).events == EVENTS


@given(logs, indexes, positions, masks)
def test_a_flipped_byte_is_found_where_it_is(
    key: Any, index: int, position: int, mask: int
) -> None:
    records = lived()
    value = bytearray(records[key(index)])
    value[position % len(value)] ^= mask
    records[key(index)] = bytes(value)
    assert broken(records) == index


@given(logs, indexes, st.binary(max_size=30))
def test_other_bytes_are_found_where_they_are(key: Any, index: int, other: bytes) -> None:
    assert broken({**lived(), key(index): other}) == index


@given(logs, indexes)
def test_a_deleted_one_is_found_where_it_was(key: Any, index: int) -> None:
    records = lived()
    del records[key(index)]
    assert broken(records) == index


@given(logs, st.integers(0, EVENTS - 1))
def test_a_cut_off_tail_is_found_where_it_began(key: Any, kept: int) -> None:
    records = lived()
    for index in range(kept + 1, EVENTS + 1):
        del records[key(index)]
    assert broken(records) == kept + 1


@given(logs, indexes, indexes)
def test_two_that_were_swapped_are_found_at_the_first(key: Any, one: int, other: int) -> None:
    records = lived()
    assume(records[key(one)] != records[key(other)])
    records[key(one)], records[key(other)] = records[key(other)], records[key(one)]
    assert broken(records) == min(one, other)


@given(logs, indexes, indexes)
def test_a_copy_over_another_is_found_there(key: Any, source: int, target: int) -> None:
    records = lived()
    assume(records[key(source)] != records[key(target)])
    assert broken({**records, key(target): records[key(source)]}) == target


@given(indexes, indexes)
def test_a_copy_inserted_before_another_is_found_there(source: int, target: int) -> None:
    records = lived()
    assume(source != target)
    copy = records[KEYS.event(source)]
    assert broken(inserted(records, target, copy)) == target


@given(indexes)
def test_a_well_linked_event_inserted_before_another_is_found_there(target: int) -> None:
    records = lived()
    twin = records[KEYS.event(target)].replace(b'"op":"', b'"op":"evil', 1)
    assert broken(inserted(records, target, twin)) == target


def inserted(records: Records, target: int, value: bytes) -> Records:
    """`value` at `target`; the events from there on move up, the bodies stay."""
    for index in range(EVENTS, target - 1, -1):
        records[KEYS.event(index + 1)] = records[KEYS.event(index)]
    records[KEYS.event(target)] = value
    return records


@pytest.mark.parametrize("key", [KEYS.event, KEYS.body])
def test_a_surplus_one_is_found_behind_the_last(key: Any) -> None:
    records = lived()
    assert broken({**records, key(EVENTS + 1): records[key(EVENTS)]}) == EVENTS + 1


@pytest.mark.parametrize("name", [b"!", b"zzz", b"0000000000000000001/x", b"\xff\xfe", b"1"])
@pytest.mark.parametrize("prefix", [KEYS.events, KEYS.bodies])
def test_a_key_that_is_no_event_is_found(prefix: bytes, name: bytes) -> None:
    assert broken({**lived(), prefix + name: b"{}"}) in range(1, EVENTS + 2)


@pytest.mark.parametrize("prev", ["f" * 64, GENESIS, "", "of the one before the last"])
@pytest.mark.parametrize("index", [1, 2, EVENTS - 1, EVENTS])
def test_a_broken_link_is_found_where_it_is(index: int, prev: str) -> None:
    records = lived()
    if prev.startswith("of"):
        prev = sha256_hex(records[KEYS.event(max(index - 2, 1))])
    true = GENESIS if index == 1 else sha256_hex(records[KEYS.event(index - 1)])
    if prev == true:
        prev = "e" * 64
    changed = records[KEYS.event(index)].replace(true.encode(), prev.encode(), 1)
    assert changed != records[KEYS.event(index)]
    assert broken({**records, KEYS.event(index): changed}) == index


@given(positions, masks)
def test_a_flipped_byte_of_the_head_is_found(position: int, mask: int) -> None:
    records = lived()
    value = bytearray(records[KEYS.head])
    value[position % len(value)] ^= mask
    # A head of the release before or after this one that says the same is no damage.
    stamps = (b'"schema":%d' % each for each in range(1, NEXT_SCHEMA + 1))
    own = b'"schema":%d' % SCHEMA
    assume(bytes(value) not in {records[KEYS.head].replace(own, each) for each in stamps})
    with pytest.raises((ChainBroken, SchemaTooNew)) as caught:
        verified({**records, KEYS.head: bytes(value)})
    assert isinstance(caught.value, SchemaTooNew) or PLAN in caught.value.message


def test_a_missing_head_is_no_missing_plan() -> None:
    records = lived()
    del records[KEYS.head]
    assert broken(records) == 0
    del records[KEYS.record]
    assert broken(records) == 0
    with pytest.raises(NotFound):
        verified({key: value for key, value in records.items() if not key.startswith(KEYS.root)})


@pytest.mark.parametrize(
    ("changes", "index"),
    [
        ({"seq": str(EVENTS + 1)}, EVENTS + 1),
        ({"seq": str(EVENTS - 1)}, EVENTS),
        ({"seq": "0", "hash": GENESIS}, 1),
        ({"hash": "f" * 64}, EVENTS),
        ({"time_ms": 1}, EVENTS),
        ({"surplus": 1}, 0),
    ],
)
def test_a_head_that_says_otherwise_is_found(changes: dict[str, Any], index: int) -> None:
    records = lived()
    head = Head.decode(records[KEYS.head])
    stored = {"kind": "head", "schema": 1, **head.model_dump(), **changes}
    assert broken({**records, KEYS.head: canonical_json(stored)}) == index


@given(st.data(), positions, masks)
def test_a_flipped_byte_of_a_blueprint_names_it(data: Any, position: int, mask: int) -> None:
    records = lived()
    key = data.draw(st.sampled_from(under(records, KEYS.blobs)))
    digest = key.rpartition(b"/")[2].decode()
    value = bytearray(records[key])
    value[position % len(value)] ^= mask
    try:
        unpack(bytes(value), digest)
    except DigestMismatch:
        with pytest.raises(DigestMismatch) as caught:
            verified({**records, key: bytes(value)})
        assert caught.value.facts == {"digest": digest, "plan": PLAN}
    else:
        # An unused bit of the zstd header: the blueprint in it is still the same.
        assert verified({**records, key: bytes(value)}).events == EVENTS


def test_two_blueprints_that_were_swapped_or_misnamed_are_found() -> None:
    records = lived()
    one, other = under(records, KEYS.blobs)[:2]
    for damage in (
        {one: records[other], other: records[one]},
        {KEYS.blob("0" * 64): records[one]},
        {KEYS.blobs + b"\xff": records[one]},
        {one: b""},
    ):
        with pytest.raises(DigestMismatch):
            verified({**records, **damage})


@pytest.mark.parametrize("index", range(1, EVENTS + 1))
def test_a_receipt_of_each_event_passes_and_its_forgery_does_not(index: int) -> None:
    records = lived()
    held = Receipt(plan=PLAN, seq=index, hash=sha256_hex(records[KEYS.event(index)]))
    assert verified(records, held).receipt
    other = Receipt(plan=PLAN, seq=index, hash="f" * 64)
    assert broken(records, other) == index


def test_a_receipt_is_missed_in_a_log_that_was_cut_or_rewritten() -> None:
    records = lived()
    last = Receipt(plan=PLAN, seq=EVENTS, hash=sha256_hex(records[KEYS.event(EVENTS)]))
    rewritten = forged(lived(), EVENTS, envelope=lambda fields: fields.update(op="evil/1"))
    assert verified(rewritten).events == EVENTS
    assert broken(rewritten, last) == EVENTS
    del records[KEYS.event(EVENTS)], records[KEYS.body(EVENTS)]
    before = Head.decode(records[KEYS.head])
    at = sha256_hex(records[KEYS.event(EVENTS - 1)])
    time_ms = before.time_ms - 1_500
    records[KEYS.head] = Head(seq=EVENTS - 1, hash=at, time_ms=time_ms).encode()
    assert verified(records).events == EVENTS - 1
    assert broken(records, last) == EVENTS


def test_the_number_in_the_key_counts() -> None:
    assert [last_number(key) for key in under(lived(), KEYS.events)] == [*range(1, EVENTS + 1)]
