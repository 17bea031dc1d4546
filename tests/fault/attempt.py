"""One HTTP request of the traffic, and what its answer says: done, refused, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import quote

import httpx
import orjson

from tests.fault.blueprints import Blueprint
from tests.fault.history import Kind, Ok, Outcome, Refused, Unknown

UNREACHABLE = "UNREACHABLE"
NO_PROBLEM = "NO_PROBLEM"
_YAML = {"Content-Type": "application/yaml"}
_JSON = {"Content-Type": "application/json"}
_REFUSED_5XX = 503
_AMBIGUOUS = frozenset({"OUTCOME_UNKNOWN", "RESULT_NOT_SHOWN", "BPS_ERROR"})
_SERVER_ERRORS = 500
_SUCCESS = 300
_NUMBERS = frozenset({"version", "n", "base_version", "seq"})
_KEPT = ("act", "how", "branch", "n", "state", "base_version", "version", "digest", "receipt")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; `fields` is what the history keeps of it."""

    kind: Kind
    plan: str
    fields: Mapping[str, Any]
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, and whether the same request may be answered otherwise soon."""

    outcome: Outcome
    retryable: bool = False


def registering(plan: str, new: Blueprint) -> Request:
    """Register a plan."""
    fields = {"digest": new.digest, "lines": new.lines}
    return Request("register", plan, fields, "PUT", f"/v1/plans/{plan}", _YAML, new.content)


def opening(plan: str, trace_id: str, fingerprint: str) -> Request:
    """Report a root cause."""
    fields = {"trace_id": trace_id, "fingerprint": fingerprint}
    path = f"/v1/plans/{plan}/branches"
    return Request("open", plan, fields, "POST", path, _JSON, orjson.dumps(fields))


def submitting(plan: str, branch: str, n: int, base: Blueprint, edit: tuple[str, str]) -> Request:
    """Submit to an RR-plan its base with one line changed: `edit` is its author and text."""
    edited = base.edited(*edit)
    fields = {"branch": branch, "n": n, "digest": edited.digest, "edit": edit}
    path = f"{_rr_plan(plan, branch, n)}/submission"
    return Request("submit", plan, fields, "POST", path, _YAML, edited.content)


def rebasing(plan: str, branch: str, n: int) -> Request:
    """Open the next revision of a branch."""
    path = f"{_rr_plan(plan, branch, n)}/rebase"
    return Request("rebase", plan, {"branch": branch, "n": n}, "POST", path)


def promoting(plan: str, refs: list[tuple[str, int]], reason: str) -> Request:
    """Promote RR-plans; none named: all that succeeded."""
    names = [_name(plan, branch, n) for branch, n in refs]
    content = orjson.dumps({"branches": names, "reason": reason})
    path = f"/v1/plans/{plan}/promotions"
    return Request("promote", plan, {"refs": refs}, "POST", path, _JSON, content)


def reading(plan: str) -> Request:
    """Read canonical from the store."""
    headers = {"Cache-Control": "no-cache"}
    path = f"/v1/plans/{plan}/canonical"
    return Request("read", plan, {"of": "canonical"}, "GET", path, headers)


async def blueprint_of(
    http: httpx.AsyncClient, url: str, plan: str, version: int
) -> Blueprint | None:
    """The blueprint of a version, which never changes; None where the sidecar does not tell."""
    try:
        answer = await http.get(f"{url}/v1/plans/{plan}/versions/{version}/blueprint")
    except httpx.TransportError:
        return None
    return Blueprint.parse(answer.content) if answer.status_code < _SUCCESS else None


def reading_branch(plan: str, branch: str, n: int) -> Request:
    """Read an RR-plan from the store."""
    fields = {"of": "branch", "branch": branch, "n": n}
    return Request("read", plan, fields, "GET", _rr_plan(plan, branch, n))


def reading_degraded(plan: str, seen_revision: int) -> Request:
    """Read canonical as the sidecar has it, not older than what was seen there."""
    headers = {"BPS-Min-Revision": str(seen_revision)} if seen_revision else {}
    path = f"/v1/plans/{plan}/canonical"
    return Request("degraded_read", plan, {"of": "canonical"}, "GET", path, headers)


def _name(plan: str, branch: str, n: int) -> str:
    return f"{plan}-RR(br{branch})-{n}"


def _rr_plan(plan: str, branch: str, n: int) -> str:
    return f"/v1/plans/{plan}/branches/{quote(_name(plan, branch, n), safe='')}"


async def send(http: httpx.AsyncClient, url: str, request: Request, op_id: str) -> Answer:
    """Send it once."""
    headers = dict(request.headers)
    if request.method != "GET":
        headers["Idempotency-Key"] = op_id
    try:
        answer = await http.request(
            request.method, url + request.path, headers=headers, content=request.content
        )
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        return Answer(Refused(UNREACHABLE), retryable=True)
    except httpx.TransportError as error:
        return Answer(Unknown(type(error).__name__), retryable=True)
    return understood(answer)


def understood(answer: httpx.Response) -> Answer:
    """What an answer says. Only a named refusal refuses; any other failure is unknown."""
    if answer.status_code < _SUCCESS:
        return Answer(_success(answer))
    try:
        problem = orjson.loads(answer.content)
        code, retryable = str(problem["code"]), bool(problem["retryable"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Answer(Unknown(NO_PROBLEM), retryable=True)
    refusing = answer.status_code < _SERVER_ERRORS or answer.status_code == _REFUSED_5XX
    if refusing and code not in _AMBIGUOUS:
        return Answer(Refused(code), retryable)
    return Answer(Unknown(code), retryable=True)


def _success(answer: httpx.Response) -> Outcome:
    headers = answer.headers
    try:
        body = orjson.loads(answer.content)
        result = {name: _plain(name, body[name]) for name in _KEPT if name in body}
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return Unknown(NO_PROBLEM)
    return Ok(
        result,
        cast("Literal['committed', 'repeated', 'noop']", headers.get("bps-outcome", "committed")),
        _int(headers.get("bps-revision")),
        headers.get("bps-consistency"),
        _int(headers.get("bps-age-ms")),
    )


def _plain(name: str, value: Any) -> Any:
    if name == "receipt" and value is not None:
        return {"plan": value["plan"], "seq": int(value["seq"]), "hash": value["hash"]}
    return int(value) if name in _NUMBERS else value


def _int(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
