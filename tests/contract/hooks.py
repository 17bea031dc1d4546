"""What schemathesis is told of the API beyond its document, and what every answer must be.

A positive request is mended where a schema cannot say the rule; a negative one is left alone.
"""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any, cast

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, HookContext, Response
from schemathesis.core.parameters import ParameterLocation

KNOWN_PLAN = "EP-42"
_NOT_ALLOWED = 405
_NUMBERS = count()
_PUBLIC_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
_SAFE_DIGITS = 18
_PARTS = ("component", "failure_class", "location")
_REAL: dict[str, Any] = {
    # A statement and its signatures, a key, a zone, a branch, a merge strategy and validators whose
    # names differ are nothing that a schema makes.
    "approvals": [],
    "public_key": _PUBLIC_KEY,
    "zone": "Europe/Berlin",
    "parent": "br66400e4b",
    "branches": ["br66400e4b"],
    "merge": {"/tasks": "keyed: [id]", "/version": "max: semver"},
    "validators": [{"name": "locked-fields"}, {"name": "references", "config": {}}],
}
_FAIR_TIMEOUTS_MS = frozenset(map(str, range(1, 30_001)))
_FRESH_KEY = "contract-"
_UNPROCESSABLE = 422
_UNAVAILABLE = 503
_EXPLAINED = ("type", "title", "detail", "code", "next_action", "trace_id")
_BLUEPRINTS = st.sampled_from((b"title: v1\n", b"title: v2\n", b"title: v3\ntasks: []\n"))

for media in ("application/yaml", "application/x-yaml", "text/yaml"):
    schemathesis.openapi.media_type(media, _BLUEPRINTS)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Make a positive request one that the state can serve."""
    if case.path_parameters.get("token") == os.environ["CONTRACT_CREDENTIAL"]:
        # The caller must not end its own credential.
        case.path_parameters["token"] = "0" * 16
    if str(case.headers.get("BPS-Timeout-Ms", "")) in _FAIR_TIMEOUTS_MS:
        # A millisecond is a fair number, and too short for anything.
        case.headers["BPS-Timeout-Ms"] = "10000"
    if _is_positive(case, ParameterLocation.HEADER):
        _mend_headers(case)
    if _is_positive(case, ParameterLocation.QUERY) and case.query:
        _mend_query(case)
    if _is_positive(case, ParameterLocation.PATH) and "plan" in (case.path_parameters or {}):
        # Plans that are there, but for one in eight.
        if next(_NUMBERS) % 8:
            case.path_parameters["plan"] = KNOWN_PLAN
        if str(case.path_parameters.get("branch", "")).startswith("EP-"):
            # An RR-plan of another plan is none of this one.
            case.path_parameters["branch"] = f"{case.path_parameters['plan']}-RR(br66400e4b)-1"
    if _is_positive(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        _mend_body(cast("dict[str, Any]", case.body))


def _is_positive(case: Case[Any], location: ParameterLocation) -> bool:
    found = case.meta.components.get(location) if case.meta is not None else None
    return found is None or found.mode is GenerationMode.POSITIVE


def _mend_headers(case: Case[Any]) -> None:
    headers = case.headers
    if "Idempotency-Key" in headers and next(_NUMBERS) % 4:
        # A key is for one request; one in four is left as it is, and so is used again.
        headers["Idempotency-Key"] = f"{_FRESH_KEY}{next(_NUMBERS)}"
    if "If-Match" in headers:
        headers["If-Match"] = "*"
    if "BPS-Min-Revision" in headers:
        # A revision that is not there yet is refused.
        headers["BPS-Min-Revision"] = "1"
    if headers.get("Accept", "").startswith("text/event-stream"):
        # A stream never ends; tests/unit/http/test_events.py reads them.
        headers["Accept"] = "application/json"


def _mend_query(case: Case[Any]) -> None:
    query = case.query
    # Only the service makes cursors.
    query.pop("cursor", None)
    # An event that is not there yet is refused.
    query.pop("after", None)
    if "wait_s" in query:
        query["wait_s"] = "0"
    if ("receipt_seq" in query) != ("receipt_hash" in query):
        query.pop("receipt_seq", None)
        query.pop("receipt_hash", None)


def _mend_body(body: dict[str, Any]) -> None:
    # Policies are numbered by the state; the number may be left out.
    body.pop("n", None)
    for name, value in body.items():
        # JSON Schema takes 7.0 for an integer, the service does not.
        if isinstance(value, float) and value.is_integer():
            body[name] = int(value)
    # No pattern says 2^63 - 1.
    if isinstance(body.get("to"), str):
        body["to"] = body["to"][:_SAFE_DIGITS]
    if body.get("clock"):
        body["clock"] = {actor: at[:_SAFE_DIGITS] for actor, at in body["clock"].items()}
    body |= {name: value for name, value in _REAL.items() if body.get(name)}
    if body.get("mode") == "READ_ONLY":
        # The other operations are asked meanwhile.
        body["mode"] = "READ_WRITE"
    if "action" in body:
        # Which fields belong together depends on the values of others.
        body.clear()
        body |= {"action": "add", "public_key": _PUBLIC_KEY, "holder": "a", "purposes": ["vote"]}
    elif "trace_id" in body and body.get("fingerprint") is not None:
        body |= dict.fromkeys(_PARTS)
    elif "trace_id" in body:
        body |= dict.fromkeys(_PARTS, "x")


@schemathesis.check
def problems_explain_themselves(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every refusal says what it is and what to do; no answer shows the inside of the service."""
    text = response.text or ""
    for inside in ("Traceback", "site-packages", str(Path.cwd()), 'File "'):
        assert inside not in text, f"the answer shows {inside!r}"
    assert "server" not in response.headers
    trace_ids = response.headers["bps-trace-id"]
    if response.status_code < 400:
        return
    problem = json.loads(text)
    for member in _EXPLAINED:
        assert problem.get(member), f"the problem has no {member}"
    assert [problem["trace_id"]] == trace_ids, "the header names another trace"
    assert problem["status"] == response.status_code
    documented = case.operation.definition.raw.get("x-bps-problems", [])
    if documented and response.status_code != _NOT_ALLOWED:
        assert problem["code"] in documented, f"{problem['code']} is not documented"


@schemathesis.check
def right_requests_are_not_unprocessable(
    ctx: CheckContext, response: Response, case: Case[Any]
) -> None:
    """A right request is refused with 422 only for a key that came before, and never with 503."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    assert response.status_code != _UNAVAILABLE, "the store answers and the service leads"
    if response.status_code != _UNPROCESSABLE:
        return
    code = json.loads(response.text or "")["code"]
    assert code == "IDEMPOTENCY_KEY_REUSED", f"{code} for a right request"
    key = str(response.request.headers["Idempotency-Key"])
    assert not key.startswith(_FRESH_KEY), f"{key} came for the first time"
