"""An example value for a JSON schema: the one it gives, else the simplest that fits it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_SHA256 = "5f1e" + "0" * 60
_BY_PATTERN = {
    "^[0-9a-f]{64}$": _SHA256,
    "^(0|[1-9][0-9]{0,18})$": "1",
    "^[0-9a-f]{40}$": "66400e4b1a24c957112c913d477982cdb479d2fa",
}
_BY_TYPE: dict[str, Any] = {"boolean": True, "null": None, "number": 1, "object": {}}
_BY_NAME = {
    "plan": "EP-42",
    "initiative": "default",
    "branch": "66400e4b1a24c957112c913d477982cdb479d2fa",
    "rr_plan": "EP-42-RR(br66400e4b)-1",
    "digest": _SHA256,
    "canonical_digest": _SHA256,
    "canonical_etag": f"1-{_SHA256}",
    "head": _SHA256,
    "published_by": "supervisor-1",
    "registered_by": "supervisor-1",
    "registered_at": "2026-11-21T09:00:00.000Z",
    "published_ms": 1_795_251_600_000,
    "registered_ms": 1_795_251_600_000,
    "opened_ms": 1_795_251_600_000,
}
"""Examples for fields of stored records, whose models say no more than their type."""


def sample(schema: Schema, document: Schema, name: str = "") -> Any:  # noqa: ANN401 - any JSON value
    """A value that fits `schema`; `name` is that of the field which has it."""
    found, value = _given(schema)
    if found:
        return value
    if "$ref" in schema:
        return sample(resolve(schema["$ref"], document), document, name)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return sample(schema[choice][0], document, name)
    if schema.get("pattern") in _BY_PATTERN:
        return _BY_PATTERN[schema["pattern"]]
    return _BY_NAME[name] if name in _BY_NAME else _by_type(schema, document, name)


def _given(schema: Schema) -> tuple[bool, Any]:
    """Whether the schema itself gives a value, and which."""
    for several in ("examples", "enum"):
        if schema.get(several):
            return True, schema[several][0]
    for given in ("example", "const"):
        if given in schema:
            return True, schema[given]
    return False, None


def _by_type(schema: Schema, document: Schema, name: str) -> Any:  # noqa: ANN401 - any JSON value
    kind = schema.get("type", "")
    if kind == "array":
        return [sample(schema.get("items", {}), document, name)]
    if kind == "integer":
        return schema.get("minimum", 1)
    if "properties" in schema:
        fields = schema["properties"].items()
        return {field: sample(inner, document, field) for field, inner in fields}
    return _BY_TYPE.get(kind, "text")


def resolve(reference: str, document: Schema) -> Schema:
    """The object that a local `$ref` names."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
