"""Every error answer is problem+json (RFC 9457), by the one table of error codes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from bps.core.error_catalogue import explain, next_action_of
from bps.core.errors import (
    BpsError,
    Fact,
    InvalidInput,
    MethodNotAllowed,
    RequestError,
    RouteNotFound,
    Unauthenticated,
)
from bps.core.wording import problem_of
from bps.http.tracing import trace_of

MEDIA_TYPE = "application/problem+json"
MAX_SHOWN = 60
"""How much of what the caller sent an error repeats, in characters."""
_MAX_FIELDS = 20
_MAX_POINTER_PARTS = 34
_RETRY_AFTER_S = 1
_WAIT = frozenset({429, 503})
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NOT_FOUND, _NOT_ALLOWED = 404, 405
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_INTERNAL = "The service failed; the trace id leads to its log."

_log = logging.getLogger(__name__)


def shown(text: str) -> str:
    """At most 60 characters of `text`, ASCII, without control characters."""
    return ascii(text[:MAX_SHOWN])[1:-1] + ("..." if len(text) > MAX_SHOWN else "")


def problem_body(error: BpsError, *, instance: str, trace_id: str) -> dict[str, Any]:
    """The members of the problem; see `bps.api.problem`."""
    row = explain(type(error))
    return {
        "type": row.problem_type,
        "title": row.meaning,
        "status": row.http_status,
        "detail": error.message,
        "code": row.code,
        "retryable": row.retryable,
        "next_action": next_action_of(error),
        "facts": error.facts,
        "instance": instance,
        "trace_id": trace_id,
    }


def problem_headers(error: BpsError) -> dict[str, str]:
    """`Retry-After` where waiting helps, the challenge of a 401, and nothing kept by caches."""
    row = explain(type(error))
    headers = {"Cache-Control": "no-store"}
    if row.retryable and row.http_status in _WAIT:
        wait_s = error.facts.get("retry_after_s")
        # `facts` are JSON: True is an int, and no number of seconds.
        seconds = wait_s if type(wait_s) is int and wait_s > 0 else _RETRY_AFTER_S
        headers["Retry-After"] = str(seconds)
    if isinstance(error, Unauthenticated):
        headers |= _CHALLENGE
    return headers


def problem_response(
    error: BpsError, scope: Scope, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to the request of `scope`; it says its trace id, never the query."""
    instance = shown(scope.get("path", ""))
    body = problem_body(error, instance=instance, trace_id=trace_of(scope).trace_id)
    return Response(
        orjson.dumps(body),
        body["status"],
        {**problem_headers(error), **(headers or {})},
        MEDIA_TYPE,
    )


def unexpected(error: BaseException) -> BpsError:
    """What a caller learns of a failure that has no name: nothing but the trace id."""
    _log.error("a request failed: %s", type(error).__name__, exc_info=error)
    return BpsError(_INTERNAL)


def refused_fields(errors: Iterable[Mapping[str, Any]]) -> InvalidInput:
    """One error that names each wrong field with a JSON pointer (R1); the values are not repeated.

    facts: fields [{in, pointer, problem}], at most 20, and how many there are in all.
    """
    found = list(errors)
    fields: list[Fact] = [_field(error) for error in found[:_MAX_FIELDS]]
    first = cast("dict[str, str]", fields[0]) if fields else {"pointer": "", "problem": "refused"}
    more = f" ({len(found) - 1} more in the facts)" if len(found) > 1 else ""
    where = first["pointer"] or "the whole " + first.get("in", "body")
    message = f"{where}: {first['problem'].rstrip('.')}{more}."
    return InvalidInput(message, fields=fields, count=len(found))


def _field(error: Mapping[str, Any]) -> Fact:
    place, *path = [str(part) for part in error.get("loc") or ("body",)]
    return {
        "in": place,
        "pointer": json_pointer(path),
        "problem": shown_problem(problem_of(error)),
    }


def shown_problem(text: str) -> str:
    """What is wrong, on one line and bounded."""
    return ascii(text[:200])[1:-1]


def json_pointer(path: Sequence[str | int]) -> str:
    """RFC 6901; names are cut to 60 characters, so that it is bounded whatever was sent."""
    parts = (shown(str(part)).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in list(parts)[:_MAX_POINTER_PARTS])


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error of routes and router end as a problem."""
    app.add_exception_handler(BpsError, _named)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_status)
    app.add_exception_handler(ClientDisconnect, _gone)


async def _named(request: Request, error: Exception) -> Response:
    named = cast("BpsError", error)
    if explain(type(named)).http_status == explain(BpsError).http_status:
        _log.error("%s: %s", named.code, named.message)
    return problem_response(named, request.scope)


async def _invalid(request: Request, error: Exception) -> Response:
    errors = cast("RequestValidationError", error).errors()
    return problem_response(refused_fields(errors), request.scope)


async def _by_status(request: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    if isinstance(refused.__cause__, BpsError):
        # FastAPI hides what its reading of the body met.
        return await _named(request, refused.__cause__)
    if refused.status_code == _NOT_FOUND:
        return problem_response(no_route(request.scope), request.scope)
    if refused.status_code == _NOT_ALLOWED:
        allowed = allowed_methods(request.scope)
        message = f"{shown(request.method)} is no method of this path; it has {allowed}."
        return problem_response(
            MethodNotAllowed(message, allow=allowed), request.scope, {"Allow": allowed}
        )
    return problem_response(RequestError("The request cannot be served."), request.scope)


async def _gone(request: Request, _error: Exception) -> Response:
    """Nobody reads it, but the log line has a status."""
    return problem_response(RequestError("The client went away."), request.scope)


def no_route(scope: Scope) -> RouteNotFound:
    """The service has nothing at the path."""
    return RouteNotFound(f"There is nothing at {shown(scope.get('path', ''))}.")


def allowed_methods(scope: Scope) -> str:
    """The methods that some route takes at this path, as `Allow` lists them."""
    routes = scope["app"].router.routes
    allowed = []
    for method in _METHODS:
        # A copy each time: matching leaves marks in the scope.
        asked = {"type": "http", "method": method, "path": scope["path"], "app": scope["app"]}
        asked |= {"root_path": scope.get("root_path", ""), "headers": []}
        if any(route.matches(asked)[0] is Match.FULL for route in routes):
            allowed += [method, "HEAD"] if method == "GET" else [method]
    return ", ".join(allowed)
