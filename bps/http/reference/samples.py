"""An example value for a JSON schema: the one it gives, else the simplest that fits it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_SHA256 = "5f1e" + "0" * 60
_ID = "5f1e0a1b2c3d4e5f"
_AT = "2026-11-21T09:00:00.000Z"
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
    "parent_rr": None,
    "state": "OPEN",
    "fingerprint": "gateway timeout is too long",
    "trace_id": "trace-1",
    "summary": "The gateway gives up after 9 s.",
    "reason": "shorter timeout",
    "title": "Checkout service",
    "comment": "for the nightly run",
    "zone": "UTC",
    "why": None,
    "source": "/plans/EP-42",
    "subject": "EP-42-RR(br66400e4b)-1",
    "bpsactor": "canonical",
    "bpsoperation": "supervisor-1/promote-1",
    "by": "operator-1",
    "bpstrace": "trace-1",
    "type": "io.haios.bps.blueprint_promoted",
    "specversion": "1.0",
    "principal": "supervisor-1",
    "roles": "supervisor",
    "credential": _ID,
    "id": _ID,
    "pruned": _ID,
    "rotated_from": None,
    "certificate_name": None,
    "secret": "bps_...",
    "key_id": _ID,
    "public_key": "ssh-ed25519 AAAA... alice",
    "ssh_fingerprint": "SHA256:...",
    "purposes": "checkpoint",
    "holder": "alice",
    "approved_by": "bob",
    "replaces": None,
    "replaced_by": None,
    "store": _ID,
    "nonce": "c0ffee" + "0" * 26,
    "signature": "base64 of 64 bytes",
    "review": "EP-42-RV1",
    "open_review": "EP-42-RV1",
    "in_review": "EP-42-RR(br66400e4b)-1",
    "waiting": "EP-42-RR(br66400e4b)-1",
    "contributors": "EP-42-RR(br66400e4b)-1",
    "take": "canonical",
    "text": None,
    "marked": "retries: 8\n",
    "value": 900,
    "path": "/tasks/0/timeout_ms",
    "conflict": _SHA256,
    "claimed_by": None,
    "act": "resolved",
    "etag": "1-9",
    "strategy": "atomic",
    "suggestion": None,
    "finding": None,
    "findings": "No task has this id.",
    "message": "No task has this id.",
    "hint": "",
    "line": 12,
    "change": "changed",
    "before": 900,
    "after": 2500,
    "left_out": 0,
    "sources": "EP-42-RR(br66400e4b)-1",
    "severity": "error",
    "engine": "5",
    "distribution": "blueprint-promotion-service",
    "name": "references",
    "check": "quorum",
    "status": "ok",
    "detail": "a linearizable read works",
    "next_action": "",
    "mode": "READ_WRITE",
    "leader": "bps-1",
    "leader_url": "http://127.0.0.1:8780",
    "code": "MERGE_CONFLICT",
    "meaning": "A three-way merge needs a human.",
    "problem_type": "/problems/merge-conflict",
    "next_cursor": None,
    "canonical_etag": f"1-{_SHA256}",
    **dict.fromkeys(("digest", "canonical_digest", "head", "hash", "prev", "bpsprev"), _SHA256),
    **dict.fromkeys(
        (
            "published_by",
            "registered_by",
            "created_by",
            "added_by",
            "revoked_by",
            "opened_by",
            "submitted_by",
        ),
        "supervisor-1",
    ),
    **dict.fromkeys(("time", "registered_at", "published_at", "created_at", "added_at"), _AT),
    **dict.fromkeys(("expires_at", "revoked_at"), None),
    **dict.fromkeys(
        ("published_ms", "registered_ms", "opened_ms", "created_ms"), 1_795_251_600_000
    ),
    **dict.fromkeys(
        (
            "n",
            "seq",
            "version",
            "base_version",
            "canonical_version",
            "events",
            "revision",
            "feed_revision",
            "linked_traces",
            "bpscounter",
            "next_after",
            "acts",
        ),
        "1",
    ),
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
    named = name in _BY_NAME and schema.get("type") not in {"array", "object"}
    return _BY_NAME[name] if named else _by_type(schema, document, name)


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
        # The document has bounds as floating point numbers.
        return int(schema.get("minimum", 1))
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
