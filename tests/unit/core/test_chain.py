"""The hash chain names the first bad index of any tampered log (R10)."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bps.core.chain import GENESIS, Break, ChainVerifier, Link, first_break
from bps.core.codec import canonical_json, sha256_hex

PLAN = "EP-42"


def envelope(seq: int, prev: str, note: str = "") -> bytes:
    return canonical_json({"note": note, "plan": PLAN, "prev": prev, "seq": str(seq)})


class Log:
    """A sound log that a test tampers with; positions count from 1."""

    def __init__(self, notes: list[str]) -> None:
        self.data: list[bytes] = []
        prev = GENESIS
        for note in notes:
            self.data.append(envelope(len(self.data) + 1, prev, note))
            prev = sha256_hex(self.data[-1])
        self.head_seq = len(self.data)
        self.head_hash = prev
        self.seqs = list(range(1, len(self.data) + 1))

    def verdict(self) -> Break | None:
        links = [Link(seq, data) for seq, data in zip(self.seqs, self.data, strict=True)]
        return first_break(PLAN, links, self.head_seq, self.head_hash)

    def first_bad(self) -> int | None:
        broken = self.verdict()
        assert broken is None or broken.why
        return broken.index if broken else None


logs = st.lists(st.text(max_size=5), min_size=1, max_size=8).map(Log)


def of(n: int) -> Log:
    return Log([f"note {i}" for i in range(n)])


def pick(data: st.DataObject, log: Log, *, last: int | None = None) -> int:
    return data.draw(st.integers(1, last or len(log.data)), label="index")


@given(logs)
def test_a_sound_log_has_no_break(log: Log) -> None:
    assert log.verdict() is None


def test_an_empty_log_is_sound_under_an_empty_head() -> None:
    assert first_break(PLAN, [], 0, GENESIS) is None


@given(logs, st.data())
def test_any_changed_byte_is_found_where_it_is(log: Log, data: st.DataObject) -> None:
    index = pick(data, log)
    bytes_ = bytearray(log.data[index - 1])
    at = data.draw(st.integers(0, len(bytes_) - 1), label="byte")
    bytes_[at] ^= data.draw(st.integers(1, 255), label="mask")
    log.data[index - 1] = bytes(bytes_)
    assert log.first_bad() == index


def test_every_flipped_bit_of_a_short_log_is_found_where_it_is() -> None:
    for index in (1, 2, 3):
        for bit in range(len(of(3).data[index - 1]) * 8):
            log = of(3)
            changed = bytearray(log.data[index - 1])
            changed[bit // 8] ^= 1 << bit % 8
            log.data[index - 1] = bytes(changed)
            assert log.first_bad() == index, (index, bit)


@given(logs, st.data(), st.binary(max_size=40))
def test_any_other_bytes_are_found_where_they_are(
    log: Log, data: st.DataObject, other: bytes
) -> None:
    index = pick(data, log)
    log.data[index - 1] = other
    assert log.first_bad() == index


@given(logs, st.data())
def test_a_changed_body_of_the_envelope_is_found_where_it_is(log: Log, data: st.DataObject) -> None:
    index = pick(data, log)
    fields = orjson.loads(log.data[index - 1])
    fields["note"] += "!"
    log.data[index - 1] = canonical_json(fields)
    assert log.first_bad() == index


@given(logs, st.data())
def test_a_deleted_event_is_the_first_bad_one(log: Log, data: st.DataObject) -> None:
    index = pick(data, log)
    del log.data[index - 1], log.seqs[index - 1]
    assert log.first_bad() == index


@given(logs, st.data())
def test_a_deleted_event_is_found_though_the_keys_were_closed_up(
    log: Log, data: st.DataObject
) -> None:
    index = pick(data, log)
    del log.data[index - 1]
    log.seqs.pop()
    assert log.first_bad() == index


@given(logs, st.data())
def test_a_truncated_log_misses_the_first_event_cut_off(log: Log, data: st.DataObject) -> None:
    kept = pick(data, log) - 1
    log.data, log.seqs = log.data[:kept], log.seqs[:kept]
    assert log.first_bad() == kept + 1


@given(logs, st.data(), st.booleans())
def test_an_inserted_event_is_the_first_bad_one(
    log: Log, data: st.DataObject, linked: bool
) -> None:
    index = pick(data, log, last=len(log.data) + 1)
    before = sha256_hex(log.data[index - 2]) if index > 1 else GENESIS
    forged = envelope(index, before if linked else "f" * 64, "forged by a person")
    log.data.insert(index - 1, forged)
    log.seqs.append(len(log.data))
    assert log.first_bad() == index


@given(logs, st.data())
def test_an_event_copied_over_or_before_another_is_found_there(
    log: Log, data: st.DataObject
) -> None:
    source, target = pick(data, log), pick(data, log)
    assume(source != target)
    copied = Log([])
    copied.data, copied.seqs = list(log.data), list(log.seqs)
    copied.head_seq, copied.head_hash = log.head_seq, log.head_hash
    copied.data[target - 1] = log.data[source - 1]
    assert copied.first_bad() == target
    log.data.insert(target - 1, log.data[source - 1])
    log.seqs.append(len(log.data))
    assert log.first_bad() == target


@given(logs, st.data())
def test_swapped_events_are_found_at_the_first_of_them(log: Log, data: st.DataObject) -> None:
    one, other = sorted((pick(data, log), pick(data, log)))
    assume(one != other)
    log.data[one - 1], log.data[other - 1] = log.data[other - 1], log.data[one - 1]
    assert log.first_bad() == one


@given(st.integers(2, 8), st.permutations(range(8)))
def test_reordered_events_are_found_at_the_first_moved_one(n: int, order: list[int]) -> None:
    log = of(n)
    moved = [i for i in order if i < n]
    assume(moved != sorted(moved))
    log.data = [log.data[i] for i in moved]
    assert log.first_bad() == next(i for i, now in enumerate(moved) if now != i) + 1


def test_swapped_events_with_corrected_numbers_are_found_at_the_first_of_them() -> None:
    log = of(4)
    second, third = (orjson.loads(log.data[i]) for i in (1, 2))
    log.data[1] = envelope(2, third["prev"], third["note"])
    log.data[2] = envelope(3, second["prev"], second["note"])
    assert log.first_bad() == 2


@pytest.mark.parametrize("index", [1, 2, 3, 4])
@pytest.mark.parametrize("prev", ["f" * 64, GENESIS, "", "hash of the one before the last"])
def test_a_broken_link_is_found_where_it_is(index: int, prev: str) -> None:
    log = of(4)
    if prev.startswith("hash"):
        prev = sha256_hex(log.data[index - 3]) if index > 2 else "e" * 64
    if index == 1 and prev == GENESIS:
        prev = sha256_hex(log.data[0])
    log.data[index - 1] = envelope(index, prev, f"note {index - 1}")
    assert log.first_bad() == index


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": "EP-43"}, {"seq": "3"}, {"seq": 2}, {"seq": "02"}, {"prev": None}, {"prev": 1},
        {"plan": None},
    ],
)  # fmt: skip
def test_an_envelope_of_another_place_is_found(fields: dict[str, object]) -> None:
    log = of(3)
    log.data[1] = canonical_json({**orjson.loads(log.data[1]), **fields})
    assert log.first_bad() == 2


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"1", b'"x"', b"{}", b"\xff", b"[" * 5_000])
def test_what_is_no_envelope_is_found(data: bytes) -> None:
    for index in (1, 2, 3):
        log = of(3)
        log.data[index - 1] = data
        assert log.first_bad() == index


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_log_whose_beginning_was_cut_off_and_renumbered_is_bad_from_the_first(n: int) -> None:
    log, prev = of(n), "f" * 64
    for index in range(n):
        log.data[index] = envelope(index + 1, prev)
        prev = sha256_hex(log.data[index])
    log.head_hash = prev
    assert log.first_bad() == 1


@given(logs)
def test_a_head_of_more_or_fewer_events_names_the_difference(log: Log) -> None:
    true = log.head_seq
    log.head_seq = true + 1
    assert log.first_bad() == true + 1
    log.head_seq = true - 1
    assert log.first_bad() == true


@given(logs)
def test_a_head_with_another_hash_accuses_the_last_event(log: Log) -> None:
    log.head_hash = "f" * 64
    assert log.first_bad() == len(log.data)


def test_the_verifier_counts_what_it_accepted() -> None:
    log, verifier = of(3), ChainVerifier(PLAN)
    for seq, data in zip(log.seqs, log.data, strict=True):
        assert verifier.feed(Link(seq, data)) is None
    assert verifier.count == 3
    assert verifier.finish(3, log.head_hash) is None
