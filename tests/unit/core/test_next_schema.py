"""What the next release stores is read and kept, byte for byte; the one after it is refused (R15).

ADR 0017. `next_release/{kind}.schema{n}.json` are bytes as that release would store them: each has
a field that this one does not know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from bps.core.codec import (
    NEXT_SCHEMA,
    SCHEMA,
    Decimal,
    DecimalMap,
    Record,
    Since,
    canonical_json,
    schema_of,
)
from bps.core.errors import MalformedRecord, SchemaTooNew
from bps.plans.results import PlanResult
from bps.policy.model import DEFAULT_POLICY, Policy
from bps.writepath.command import OpRecord
from tests.unit.core.test_codec import json_values
from tests.unit.core.test_golden_records import GOLDEN, KINDS

NEXT = Path(__file__).parent / "next_release"


class Inner(Record):
    KIND: ClassVar[str] = "inner"

    a: int


class Carrying(Record):
    KIND: ClassVar[str] = "carrying"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    n: Decimal
    name: str = ""
    clock: DecimalMap = Field(default_factory=dict)
    inside: list[Inner] = Field(default_factory=list)


class Strict(Record):
    KIND: ClassVar[str] = "strict"

    n: Decimal


class Grown(Record):
    """A record as the release of today writes it, with fields that older numbers did not have."""

    KIND: ClassVar[str] = "grown"

    n: Decimal
    note: Annotated[str | None, Since(SCHEMA)] = None
    tags: Annotated[list[str], Since(SCHEMA)] = Field(default_factory=list)


def of_next(record: Record, **unknown: Any) -> bytes:
    """`record` as the next release would store it."""
    return canonical_json({**orjson.loads(record.encode()), "schema": NEXT_SCHEMA, **unknown})


names = st.text(st.characters(codec="ascii", min_codepoint=32), max_size=12).filter(
    lambda name: name not in {"kind", "schema", *Carrying.model_fields}
)


@given(st.dictionaries(names, json_values, max_size=4), st.integers(0, 9), st.text(max_size=5))
@example({"encode": 1, "model_dump": 2, "KIND": "x", "STAMP": 9, "__dict__": {}, "": None}, 0, "")
@example({"model_config": [], "__class__": "x", "copy": True, "_private": {"a": []}}, 1, "")
def test_unknown_fields_survive_reading_changing_and_writing(
    unknown: dict[str, Any], n: int, name: str
) -> None:
    stored = of_next(Carrying(n=1, clock={"a": 1}, inside=[Inner(a=1)]), **unknown)
    record = Carrying.decode(stored)
    assert isinstance(record, Carrying)
    assert record.encode() == stored
    changed = record.model_copy(update={"n": n, "name": name})
    assert (changed.n, changed.name) == (n, name)
    expected = of_next(
        Carrying(n=n, name=name, clock={"a": 1}, inside=[Inner(a=1)]),
        **unknown,
    )
    assert changed.encode() == expected
    assert (
        changed.encode_as(SCHEMA)
        == Carrying(n=n, name=name, clock={"a": 1}, inside=[Inner(a=1)]).encode()
    )


@given(st.sampled_from([Carrying, Strict]), st.dictionaries(st.text(max_size=8), json_values))
@example(Carrying, {"n": "1", "kind": "carrying", "schema": NEXT_SCHEMA, "big": 1})
def test_nothing_of_the_next_release_is_dropped_or_fails_without_a_name(
    kind: type[Record], fields: dict[str, Any]
) -> None:
    stored = canonical_json({**fields, "kind": kind.KIND, "schema": NEXT_SCHEMA})
    try:
        record = kind.decode(stored)
    except SchemaTooNew:
        return
    assert record.encode() == stored


def test_a_raised_number_alone_is_read_by_every_kind_and_kept() -> None:
    for record in (Strict(n=1), Carrying(n=1)):
        stored = of_next(record)
        assert type(record).decode(stored).encode() == stored


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Strict, {"unknown": 1}),
        (Carrying, {"n": 7}),
        (Carrying, {"n": ...}),
        (Carrying, {"name": ...}),
        (Carrying, {"name": None}),
        (Carrying, {"inside": [{"a": 1, "b": 2}]}),
        (Carrying, {"unknown": 2**53}),
    ],
)
def test_what_could_not_be_read_or_written_back_is_refused_as_too_new(
    kind: type[Record], changes: dict[str, Any]
) -> None:
    record: Record = kind.model_validate({"n": 1})
    fields = orjson.loads(of_next(record)) | changes
    stored = orjson.dumps({name: value for name, value in fields.items() if value is not ...})
    with pytest.raises(SchemaTooNew) as refusal:
        kind.decode(stored, key=b"/there")
    assert refusal.value.facts == {
        "schema": NEXT_SCHEMA,
        "readable": NEXT_SCHEMA,
        "key": "/there",
    }


def test_another_kind_is_no_record_of_the_next_release() -> None:
    with pytest.raises(MalformedRecord):
        Strict.decode(of_next(Carrying(n=1)))


def test_records_of_two_releases_differ_though_their_known_fields_are_equal() -> None:
    assert Carrying.decode(of_next(Carrying(n=1))) != Carrying(n=1)


def test_an_unknown_rule_of_a_policy_is_never_ignored() -> None:
    assert Policy.decode(of_next(DEFAULT_POLICY)).n == 1
    with pytest.raises(SchemaTooNew):
        Policy.decode(of_next(DEFAULT_POLICY, max_reviews=1))


def test_an_older_number_is_rendered_without_what_came_later() -> None:
    older = SCHEMA - 1
    plain = canonical_json({"kind": "grown", "schema": older, "n": "1"})
    assert Grown(n=1).encode_as(older) == plain
    assert Grown(n=1, note="x").encode_as(older) is None
    assert Grown(n=1, tags=["x"]).encode_as(older) is None
    assert Grown(n=1, note="x").encode_as(SCHEMA) == Grown(n=1, note="x").encode()


@pytest.mark.parametrize(
    ("data", "number"),
    [(b'{"schema":7}', 7), (b'{"schema":"7"}', 0), (b'{"schema":true}', 0), (b"[]", 0), (b"{", 0)],
)
def test_the_number_of_bytes(data: bytes, number: int) -> None:
    assert schema_of(data) == number


def test_the_recorded_result_of_a_next_release_is_read_and_shown() -> None:
    plain = orjson.loads((GOLDEN / f"plan_result.schema{SCHEMA}.json").read_bytes())
    result = {name: value for name, value in plain.items() if name not in {"kind", "schema"}}
    record = OpRecord(state="DONE", request="", result={**result, "shown": "too"})
    newer = OpRecord.decode(of_next(record))
    read = PlanResult.part(newer.result or {}, newer)
    assert read.model_dump()["shown"] == "too"
    with pytest.raises(ValidationError):
        PlanResult.part(record.result or {}, record)


@pytest.mark.parametrize("path", sorted(NEXT.glob("*.json")), ids=lambda path: path.stem)
def test_bytes_of_the_next_release_are_read_and_written_again_exactly(path: Path) -> None:
    kind, _, schema = path.stem.partition(".schema")
    data = path.read_bytes().removesuffix(b"\n")
    assert int(schema) == schema_of(data) == NEXT_SCHEMA
    record = KINDS[kind].decode(data)
    assert record.encode() == data
    older = (GOLDEN / f"{kind}.schema{SCHEMA}.json").read_bytes().removesuffix(b"\n")
    assert record.encode_as(SCHEMA) == older


def test_every_kind_that_carries_has_bytes_of_the_next_release() -> None:
    carrying = {kind for kind, model in KINDS.items() if model.CARRIES_UNKNOWN}
    assert {path.name for path in NEXT.glob("*.json")} == {
        f"{kind}.schema{NEXT_SCHEMA}.json" for kind in carrying
    }


def test_a_record_of_an_older_number_is_read_by_the_release_that_added_a_field(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.core.codec.SCHEMA", 2)
    monkeypatch.setattr("bps.core.codec.NEXT_SCHEMA", 3)

    class Sample(Record):
        KIND: ClassVar[str] = "sample_of_two"
        STAMP: ClassVar[int] = 2

        n: Decimal
        note: Annotated[str | None, Since(2)] = None

    older = b'{"kind":"sample_of_two","n":"1","schema":1}'
    record = Sample.decode(older)
    assert record == Sample(n=1)
    assert record.encode_as(1) == older
    assert record.encode() == b'{"kind":"sample_of_two","n":"1","note":null,"schema":2}'
    with pytest.raises(MalformedRecord):
        Sample.decode(b'{"kind":"sample_of_two","n":"1","note":null,"schema":1}')
