"""From a problem document (RFC 9457) back to the error that the service raised."""

from __future__ import annotations

from typing import Any

import orjson

from bps.core import errors
from bps.core.errors import BpsError, OutcomeUnknown, Unavailable

MEDIA_TYPE = "application/problem+json"
_MAX_MESSAGE_LENGTH = 2_000
_SERVER_ERROR = 500

BY_CODE: dict[str, type[BpsError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BpsError)
}
"""Every named failure by its stable code."""


def parse_problem(body: bytes) -> dict[str, Any] | None:
    """The members of a problem document with a code; None where it is none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("code"), str) else None


def error_of(status: int, problem: dict[str, Any], *, op_id: str | None = None) -> BpsError:
    """The error that a problem tells of. `op_id` is given for a request that writes.

    A code of a later release stays readable: its text is in the message and the facts. A write
    that ended in an unnamed failure of the service may have been done: OutcomeUnknown.
    """
    code = problem["code"][:60]
    kind = BY_CODE.get(code)
    unnamed = kind is None or kind is BpsError
    detail = problem.get("detail")
    message = detail if isinstance(detail, str) and detail else f"The service answers {status}."
    message = message[:_MAX_MESSAGE_LENGTH]
    if kind is None:
        message = f"{message} (the service's code {code})"
    if unnamed and status >= _SERVER_ERROR:
        if op_id is not None:
            message = f"Whether operation {op_id} was done is unknown: {message}"
            kind = OutcomeUnknown
        elif problem.get("retryable") is True:
            kind = Unavailable
    advice = problem.get("next_action")
    error = (kind or BpsError)(message)
    if isinstance(advice, str) and advice and not unnamed and kind is not OutcomeUnknown:
        error.advising(advice[:_MAX_MESSAGE_LENGTH])
    facts = problem.get("facts")
    error.facts = dict(facts) if isinstance(facts, dict) else {}
    if unnamed:
        error.facts["service_code"] = code
    if kind is OutcomeUnknown and op_id is not None:
        error.facts["op"] = op_id
    trace_id = problem.get("trace_id")
    if isinstance(trace_id, str):
        error.facts.setdefault("trace_id", trace_id[:64])
    return error
