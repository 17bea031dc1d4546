"""Values that are none of what a field's schema takes, for each field of each request model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bps.http.openapi import operations
from bps.http.reference.samples import resolve, sample

Schema = dict[str, Any]

_NUMBERS = (-1, 7.5, 2**53 + 1, 2**63, 10**400, -(2**64))
_BEYOND: tuple[Any, ...] = (
    True,
    *_NUMBERS,
    [],
    {},
    [[]],
    "x" * 20_000,
    "\ud800",
    "a\x00b",
    "\u202e",
)
_BY_TYPE: dict[str, tuple[Any, ...]] = {
    "integer": (*_BEYOND, 7.0, "7", "", None),
    "string": (*_BEYOND, 7, 7.0, None),
    "boolean": (*_BEYOND[1:], 0, 1, "true", "", None),
    "array": (True, *_NUMBERS, {}, "x", None, [None], [True], [7], ["\ud800"], [[]]),
    "object": (True, *_NUMBERS, [], "x", {"x": 1}, {"__proto__": {}}, {"": None}),
}
_DECIMALS = ("7.0", "-1", "07", "+7", " 7", "7_0", "1e3", "\u0667", str(2**63), "9" * 5_000, 7)


def models(document: Schema) -> Iterator[tuple[str, str, Schema, Schema]]:
    """Method, path, the model's schema and an example, of each operation that takes JSON."""
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        schema = _resolved(content["application/json"]["schema"], document)
        example = (
            {name: sample(field, document, name) for name, field in schema["properties"].items()}
            if "properties" in schema
            else {}
        )
        given = operation.get("x-bps-example", {}).get("body", {})
        yield method.upper(), _addressed(path, operation, document), schema, example | given


def wrong_values(field: Schema, document: Schema) -> Iterator[Any]:
    """What must be refused in this field."""
    kinds = [_resolved(kind, document) for kind in field.get("anyOf", [field])]
    allows_null = {"type": "null"} in kinds
    main = next(_resolved(kind, document) for kind in kinds if kind.get("type") != "null")
    if "enum" in main or "const" in main:
        yield from ("", "x", 1, True, [], {})
        return
    decimal = main.get("type") == "string" and "[1-9][0-9]{0,18}" in main.get("pattern", "")
    for value in (*_BY_TYPE[main["type"]], *(_DECIMALS if decimal else ())):
        if value is None and allows_null:
            continue
        yield value


def _resolved(schema: Schema, document: Schema) -> Schema:
    for choice in schema.get("anyOf", [schema]):
        if "$ref" in choice:
            return resolve(choice["$ref"], document)
    return schema


def _addressed(path: str, operation: Schema, document: Schema) -> str:
    given = operation.get("x-bps-example", {}).get("path", {})
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            name = parameter["name"]
            value = given.get(name, sample(parameter["schema"], document, name))
            path = path.replace("{" + name + "}", str(value))
    return path


def encoded(value: Any) -> bytes:
    """JSON as a careless program writes it: lone surrogates escaped, any size of number."""
    return json.dumps(value).encode()
