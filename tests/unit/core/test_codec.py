"""Canonical bytes are RFC 8785's, and stored records refuse whatever they do not know (R15)."""

from __future__ import annotations

import tracemalloc
from typing import Any, ClassVar

import orjson
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from bps.core.codec import SCHEMA, Decimal, DecimalMap, Record, canonical_json, sha256_hex
from bps.core.errors import MalformedRecord, SchemaTooNew

MAX_EXACT = 2**53 - 1
ESCAPED = '\b\t\n\f\r"\\/\x00\x1f\x7f\x80\u2028\u2029\ufeff\U0001f600é'

texts = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_EXACT, MAX_EXACT) | texts,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=5)
    ),
    max_leaves=20,
)


class Sample(Record):
    KIND: ClassVar[str] = "sample"

    n: Decimal
    name: str = ""
    maybe: Decimal | None = None
    clock: DecimalMap = Field(default_factory=dict)
    size: int = 0


def stored(**changes: object) -> bytes:
    """The bytes of a sample with some fields replaced; `...` takes a field out."""
    fields: dict[str, Any] = orjson.loads(Sample(n=7).encode())
    fields |= changes
    return orjson.dumps({k: v for k, v in fields.items() if v is not ...})


@given(json_values)
@example({"é".encode().hex(): ESCAPED, "a": [ESCAPED], "B": MAX_EXACT, "": -MAX_EXACT})
@example({"b": 1, "a": 2, "A": 3, "aa": 4, "a\x00": 5, "~": 6, "\x7f": 7})
def test_the_bytes_are_those_of_rfc_8785(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(json_values)
def test_the_bytes_are_read_back_as_the_same_value(value: object) -> None:
    assert orjson.loads(canonical_json(value)) == value


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800", {1: 2}, {"a": object()}, b"bytes"])
def test_what_json_cannot_hold_exactly_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@given(st.integers(0, 10**19 - 1))
def test_a_decimal_is_a_string_in_the_bytes_and_a_number_in_python(n: int) -> None:
    record = Sample(n=n, maybe=n, clock={"a": n})
    data = record.encode()
    assert orjson.loads(data)["n"] == str(n)
    assert Sample.decode(data) == record
    assert Sample.decode(data).encode() == data


@pytest.mark.parametrize(
    "n",
    [True, False, 7.0, "07", "", "-1", -1, "+1", " 1", "1 ", "1\n", "1.0", "1e3", "0x1", "٣",
     "\uff11", "1_0", "00", None, [], {}, 10**19, str(10**19), "9" * 20, "NaN", b"1"],
)  # fmt: skip
def test_what_is_no_decimal(n: object) -> None:
    for fields in ({"n": n}, {"n": 1, "clock": {"a": n}}):
        with pytest.raises(ValidationError):
            Sample.model_validate(fields)
    if n is not None:
        with pytest.raises(ValidationError):
            Sample.model_validate({"n": 1, "maybe": n})


@pytest.mark.parametrize("name", ["n", "maybe"])
@pytest.mark.parametrize("value", ["07", True, 7.5, "-1", "9" * 20])
def test_a_stored_decimal_of_another_form_is_malformed(name: str, value: object) -> None:
    with pytest.raises(MalformedRecord) as refusal:
        Sample.decode(stored(**{name: value}))
    assert name in refusal.value.message


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"n": ...},
        {"name": 1},
        {"name": None},
        {"size": "1"},
        {"size": True},
        {"size": 1.0},
        {"clock": []},
        {"kind": "other"},
        {"kind": ...},
        {"kind": None},
        {"kind": ["sample"]},
        {"schema": ...},
        {"schema": None},
        {"schema": "1"},
        {"schema": True},
        {"schema": 1.0},
        {"schema": 0},
        {"schema": -1},
    ],
)
def test_a_record_that_is_not_exactly_of_its_kind_is_malformed(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedRecord) as refusal:
        Sample.decode(stored(**changes))
    assert refusal.value.facts == {"kind": "sample"}


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b"null", b"[]", b'"sample"', b"1", b"NaN", b"{}{}", b"[" * 10_000,
     b'{"kind":"sample","schema":1,"n":NaN}', b"\xef\xbb\xbf{}", "{}".encode("utf-16")],
)  # fmt: skip
def test_what_is_no_object_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedRecord):
        Sample.decode(data)


@pytest.mark.parametrize("changes", [{}, {"unknown": 1}, {"n": 7}, {"kind": "renamed"}])
def test_a_newer_schema_is_named_before_anything_else_is_judged(
    changes: dict[str, object],
) -> None:
    with pytest.raises(SchemaTooNew) as refusal:
        Sample.decode(stored(schema=SCHEMA + 2, **changes), key=b"/here")
    assert refusal.value.facts == {
        "schema": SCHEMA + 2,
        "readable": SCHEMA + 1,
        "key": "/here",
    }
    assert "/here" in refusal.value.message


def test_a_record_is_frozen_and_strict() -> None:
    record = Sample(n=1)
    with pytest.raises(ValidationError):
        record.name = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Sample.model_validate({"n": 1, "size": "1"})


def test_a_record_carries_its_kind_and_schema() -> None:
    assert Sample(n=1).encode() == (
        b'{"clock":{},"kind":"sample","maybe":null,"n":"1","name":"","schema":2,"size":0}'
    )


def test_a_digest_is_sha256_in_hexadecimal() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_encoded_records_take_no_more_memory_than_their_bytes() -> None:
    record = Sample(n=1, name="x" * 300)
    record.encode()
    tracemalloc.start()
    try:
        kept = [record.encode() for _ in range(200)]
        each = tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()
    assert each < 2 * len(kept[0]), "thousands of records are kept: each with an orjson buffer"
