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
from typing import Annotated, Any, ClassVar, Self

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

from bps.core.errors import MalformedRecord, SchemaTooNew

SCHEMA = 1
"""The schema number this release writes, and the newest it reads (`docs/schema-changelog.md`)."""

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
    """RFC 8785 bytes of `value`, which has ASCII keys and no floats. Cost: about 1 us a KB."""
    return orjson.dumps(value, option=_OPTIONS)


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


class Record(BaseModel):
    """Base of everything stored. A subclass names its `KIND`; its bytes carry kind and schema."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    KIND: ClassVar[str]

    def encode(self) -> bytes:
        """The canonical bytes that are stored and hashed."""
        return canonical_json({"kind": self.KIND, "schema": SCHEMA, **self.model_dump()})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The record in `data`.

        Raises:
            SchemaTooNew: a newer release wrote it; nothing of it is trusted.
            MalformedRecord: it is not a record of this kind.
        """
        try:
            fields = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise MalformedRecord(f"A stored {cls.KIND} is not JSON.", kind=cls.KIND) from error
        if not isinstance(fields, dict):
            raise MalformedRecord(f"A stored {cls.KIND} is not an object.", kind=cls.KIND)
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, stored: dict[str, Any]) -> Self:
        """The record whose bytes were parsed to `stored`. Raises as `decode`."""
        fields = dict(stored)
        kind, schema = fields.pop("kind", None), fields.pop("schema", None)
        if type(schema) is int and schema > SCHEMA:
            msg = f"A {kind} has schema {schema}; this release reads up to {SCHEMA}."
            raise SchemaTooNew(msg, schema=schema, readable=SCHEMA)
        if kind != cls.KIND or type(schema) is not int or schema < 1:
            msg = f"A {cls.KIND} was expected, but kind {kind!r}, schema {schema!r} is stored."
            raise MalformedRecord(msg, kind=cls.KIND)
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            where = ", ".join(".".join(map(str, item["loc"])) for item in error.errors()[:5])
            msg = f"A stored {cls.KIND} does not have the right fields: {where}."
            raise MalformedRecord(msg, kind=cls.KIND) from error
