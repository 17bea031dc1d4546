"""Canonical JSON (RFC 8785) and stored records with kind and schema number (R15).

Records are pydantic models, strict and frozen. Revisions and counters are decimal strings in the
stored bytes, because RFC 8785 numbers are doubles; there are no floats anywhere. Keys are ASCII,
for which sorting by code point is RFC 8785's sorting by UTF-16 code unit; so orjson's bytes are
canonical (a test holds them against the rfc8785 package).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import new_class
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)
from pydantic.json_schema import WithJsonSchema

from bps.core.errors import Fact, MalformedRecord, SchemaTooNew
from bps.core.wording import places_of

SCHEMA = 2
"""The schema number that this release writes (`docs/schema-changelog.md`)."""
NEXT_SCHEMA = SCHEMA + 1
"""The newest that it reads: that of the next release, beside which it must run (ADR 0017)."""

MAX_DECIMAL = 10**19 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_SMALL_END = 10_000
_SMALL = {str(number): number for number in range(_SMALL_END)}
_SMALL_TEXT = tuple(_SMALL)
"""Small counters both ways: a table is several times as fast, and a clock has up to 256 of them."""
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def _from_decimal(value: object) -> object:
    if isinstance(value, str):
        small = _SMALL.get(value)
        if small is not None:
            return small
        if _DECIMAL.fullmatch(value):
            return int(value)
    return value if type(value) is int and 0 <= value <= MAX_DECIMAL else None


def _from_decimals(value: object) -> object:
    """All values at once: one call from pydantic's core a map, not one an entry."""
    if not isinstance(value, dict):
        return value
    return {
        key: number if type(number) is int and 0 <= number <= MAX_DECIMAL else _from_decimal(number)
        for key, number in value.items()
    }


def to_decimals(numbers: Mapping[str, int]) -> dict[str, str]:
    """A map's numbers as the decimal strings of hashed bytes. Cost: 12 us for 200 entries."""
    small = _SMALL_TEXT
    return {
        key: small[number] if 0 <= number < _SMALL_END else str(number)
        for key, number in numbers.items()
    }


_DECIMAL_SCHEMA: dict[str, Any] = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"}

Decimal = Annotated[
    int,
    BeforeValidator(_from_decimal),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(_DECIMAL_SCHEMA),
]
"""A non-negative integer in Python, a decimal string in hashed bytes."""

DecimalMap = Annotated[
    dict[str, int],
    BeforeValidator(_from_decimals),
    PlainSerializer(to_decimals, return_type=dict[str, str]),
    WithJsonSchema({"type": "object", "additionalProperties": _DECIMAL_SCHEMA}),
]
"""A map whose values are `Decimal`."""


MAX_TIME_MS = 253_402_300_799_999
"""The end of the year 9999, the last that RFC 3339 can name."""

TimeMs = Annotated[int, Field(ge=0, le=MAX_TIME_MS)]
"""Milliseconds since the epoch, UTC."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A digest as lower-case hexadecimal."""


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value without floats
    """RFC 8785 bytes of `value`, which has ASCII keys and no floats. Cost: about 2 us a KB."""
    # A copy, as records are kept: orjson's own bytes hold on to a buffer of 4 KiB or more.
    return bytes(memoryview(orjson.dumps(value, option=_OPTIONS)))


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Since:
    """Marks an optional field by the schema number that it came with: `Annotated[T, Since(2)]`."""

    schema: int


class Record(BaseModel):
    """Base of everything stored. A subclass names its `KIND`; its bytes carry kind and schema.

    `CARRIES_UNKNOWN`: fields that the next release added are kept and written back unchanged, as
    no decision of this release can go wrong by ignoring them. Other kinds refuse them.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    KIND: ClassVar[str]
    CARRIES_UNKNOWN: ClassVar[bool] = False
    STAMP: ClassVar[int] = SCHEMA
    """The schema number in the bytes: this release's, or, where the next one wrote it, that one."""

    def encode(self) -> bytes:
        """The canonical bytes that are stored and hashed."""
        return canonical_json({"kind": self.KIND, "schema": self.STAMP, **self.stored_fields()})

    def stored_fields(self) -> dict[str, Any]:
        """The fields by the names that they are stored by; `model_dump` has those that are shown.

        They differ where a record of another kind lies inside that names a field by an alias.
        """
        return self.model_dump(by_alias=True)

    def encode_as(self, schema: int) -> bytes | None:
        """The bytes as a release that wrote `schema`, at most `SCHEMA`, would have stored them.

        Fields that came later are left out, and what is carried for the next release. None where
        such a later field says something, so that those bytes would be another record.
        """
        model = type(self).model_fields
        later = _fields_after(type(self), schema)
        if any(
            getattr(self, name) != model[name].get_default(call_default_factory=True)
            for name in later
        ):
            return None
        left_out = {*later, *(self.model_extra or ())}
        kept = self.model_dump(by_alias=True, exclude=left_out)
        return canonical_json({"kind": self.KIND, "schema": schema, **kept})

    @classmethod
    def decode(cls, data: bytes, *, key: bytes = b"") -> Self:
        """The record in `data`; errors name `key`, where it is stored.

        Raises:
            SchemaTooNew: a newer release wrote it in a way that this one cannot read and write
                back; nothing of it is trusted.
            MalformedRecord: it is not a record of this kind.
        """
        try:
            fields = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise MalformedRecord(f"A stored {cls.KIND} is not JSON.", kind=cls.KIND) from error
        if not isinstance(fields, dict):
            raise MalformedRecord(f"A stored {cls.KIND} is not an object.", kind=cls.KIND)
        return cls.from_fields(fields, key=key)

    @classmethod
    def from_fields(cls, stored: dict[str, Any], *, key: bytes = b"") -> Self:
        """The record whose bytes were parsed to `stored`. Raises as `decode`."""
        fields = dict(stored)
        kind, schema = fields.pop("kind", None), fields.pop("schema", None)
        if kind != cls.KIND or type(schema) is not int or schema != SCHEMA:
            return cls._of_another_release(fields, kind, schema, key)
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            msg = f"A stored {cls.KIND} does not have the right fields: {places_of(error)}."
            raise MalformedRecord(msg, kind=cls.KIND) from error

    @classmethod
    def part(cls, fields: dict[str, Any], whole: Record) -> Self:
        """A record of this kind that lies in a field of `whole` as a map, without a number.

        Raises:
            ValidationError: it is none of this kind.
            SchemaTooNew: the next release wrote it in a way that cannot be read.
        """
        if whole.STAMP == NEXT_SCHEMA:
            return cls._of_next_release(fields, b"")
        return cls.model_validate(fields)

    @classmethod
    def _of_another_release(
        cls, fields: dict[str, Any], kind: object, schema: object, key: bytes
    ) -> Self:
        if type(schema) is int and schema > NEXT_SCHEMA:
            raise _too_new(kind, schema, key, "it is of a release that is two or more ahead")
        if kind != cls.KIND or type(schema) is not int or schema < 1:
            msg = f"A {cls.KIND} was expected, but kind {kind!r}, schema {schema!r} is stored."
            raise MalformedRecord(msg, kind=cls.KIND)
        if schema == NEXT_SCHEMA:
            return cls._of_next_release(fields, key)
        later = sorted(_fields_after(cls, schema) & fields.keys())
        if later:
            names = ", ".join(later)
            msg = f"A stored {cls.KIND} of schema {schema} has fields that came later: {names}."
            raise MalformedRecord(msg, kind=cls.KIND)
        return cls.from_fields({**fields, "kind": kind, "schema": SCHEMA}, key=key)

    @classmethod
    def _of_next_release(cls, fields: dict[str, Any], key: bytes) -> Self:
        """Read, and proven to be written back byte for byte: nothing of it can be lost."""
        try:
            record: Self = _as_next(cls).model_validate(fields)
        except ValidationError as error:
            why = f"this one cannot read {places_of(error)}"
            raise _too_new(cls.KIND, NEXT_SCHEMA, key, why) from error
        try:
            same = canonical_json(fields) == canonical_json(record.stored_fields())
        except TypeError:
            same = False
        if not same:
            why = "this one could not write it back unchanged"
            raise _too_new(cls.KIND, NEXT_SCHEMA, key, why)
        return record


R = TypeVar("R", bound=Record)


@cache
def _as_next(kind: type[R]) -> type[R]:
    """The same kind as the next release writes it; a class of its own costs the others nothing."""
    config = ConfigDict(extra="allow" if kind.CARRIES_UNKNOWN else "forbid")
    members = {"__module__": __name__, "model_config": config, "STAMP": NEXT_SCHEMA}
    name = f"{kind.__name__}OfNext"
    return cast("type[R]", new_class(name, (kind,), exec_body=lambda body: body.update(members)))


@cache
def _fields_after(kind: type[Record], schema: int) -> frozenset[str]:
    """The fields that came with a schema number above `schema`."""
    return frozenset(
        name
        for name, field in kind.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Since) and mark.schema > schema
    )


def schema_of(data: bytes) -> int:
    """The schema number in a record's bytes; 0 where they hold none."""
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:
        return 0
    number = fields.get("schema") if isinstance(fields, dict) else None
    return number if type(number) is int else 0


def _too_new(kind: object, schema: int, key: bytes, why: str) -> SchemaTooNew:
    facts: dict[str, Fact] = {"schema": schema, "readable": NEXT_SCHEMA}
    where = ""
    if key:
        facts["key"] = key.decode(errors="replace")
        where = f" at {facts['key']}"
    msg = (
        f"The record{where} ({kind!s:.60}) has schema {schema} of a newer release: {why}. "
        f"This release writes {SCHEMA} and reads up to {NEXT_SCHEMA}."
    )
    return SchemaTooNew(msg, **facts)
