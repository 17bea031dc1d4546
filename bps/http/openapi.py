"""The OpenAPI document: what FastAPI finds out, and what holds for whole kinds of operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bps.api.problem import Problem
from bps.core import errors
from bps.core.error_catalogue import Explanation, catalogue
from bps.core.errors import BpsError
from bps.http.deadline import PARAMETER
from bps.http.documented import PROBLEMS
from bps.http.problems import MEDIA_TYPE
from bps.http.routing import OPERATION
from bps.identity.roles import ALLOWED, Operation
from bps.plans.reviews import ReviewConflict

ROLES = "x-bps-roles"
"""The roles that may do the operation, by the authorisation matrix."""

_METHODS = ("get", "put", "post", "delete", "patch")
_VALIDATION_STATUS = "422"
_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")

_EVERY: tuple[type[BpsError], ...] = (
    errors.InvalidInput,
    errors.RequestError,
    errors.RequestTooLarge,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.RateLimited,
    errors.TooManyConnections,
    errors.Unavailable,
    errors.QuorumLost,
    errors.StoreRefused,
    errors.AccessDenied,
    errors.MalformedRecord,
    errors.SchemaTooNew,
    errors.ConfigError,
    BpsError,
)
_NAMED: tuple[type[BpsError], ...] = (errors.InvalidId, errors.NotFound, errors.RouteNotFound)
_WRITES: tuple[type[BpsError], ...] = (
    errors.IdempotencyKeyRequired,
    errors.IdempotencyKeyReused,
    errors.InvalidId,
    errors.OperationInFlight,
    errors.Overloaded,
    errors.NotLeader,
    errors.FencedOut,
    errors.LeaseLost,
    errors.OutcomeUnknown,
    errors.Contended,
    errors.NoSpace,
    errors.StoreRolledBack,
)
_REQUIRED = {
    "Idempotency-Key": errors.IdempotencyKeyRequired.code,
    "If-Match": errors.PreconditionRequired.code,
}
"""Headers that FastAPI takes for optional, since their absence has an error of its own."""
_BODIES: tuple[type[BpsError], ...] = (errors.UnsupportedMediaType, errors.RequestTimedOut)

_DESCRIPTION = """\
Decides which version of a blueprint is the canonical one, and proves how it became so.

Every error is `application/problem+json` (RFC 9457) with a stable `code`, the next action and a
trace id. Every request that writes needs an `Idempotency-Key`; repeated with the same key it gets
the same answer and nothing is done twice. Numbers that count are decimal strings."""


def describe(app: FastAPI) -> None:
    """Let `app` answer this document instead of FastAPI's own; it is made once, when asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    # FastAPI's documented way to replace it.
    app.openapi = document  # type: ignore[method-assign]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation object of all operations, in the order of the document."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _FASTAPI_ERRORS:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    # FastAPI takes the name that a field is stored by for the one that it is shown by.
    schemas[ReviewConflict.__name__] = ReviewConflict.model_json_schema(
        by_alias=False, mode="serialization"
    )
    components["examples"] = {
        code: {"summary": row.meaning, "value": problem_example(row)}
        for code, row in catalogue().items()
    }
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of `bps token`."},
        "certificate": {"type": "mutualTLS"},
    }
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            _drop_null(parameter["schema"])
        if OPERATION in operation:
            _complete(path, method, operation)
        elif PROBLEMS in operation:
            _add_problems(operation, operation[PROBLEMS])
        _drop_validation(operation)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """What the guard, the body's reader, the write path and the store can answer."""
    operation[ROLES] = sorted(ALLOWED[Operation(operation[OPERATION])])
    operation["security"] = [{"token": []}, {"certificate": []}]
    kinds = list(_EVERY)
    if "{" in path:
        kinds += _NAMED
    if method != "get":
        kinds += _WRITES
        operation.setdefault("parameters", []).append(PARAMETER)
    if "requestBody" in operation:
        kinds += _BODIES
    codes = {kind.code for kind in kinds} | set(operation.pop(PROBLEMS, []))
    operation[PROBLEMS] = sorted(codes)
    for parameter in operation.get("parameters", []):
        if _REQUIRED.get(parameter["name"]) in codes:
            parameter["required"] = True
    _drop_validation(operation)
    _add_problems(operation, codes)


def _add_problems(operation: dict[str, Any], codes: Iterable[str]) -> None:
    for status, answer in problem_answers(codes):
        operation["responses"].setdefault(status, answer)


def _drop_null(schema: dict[str, Any]) -> None:
    """A parameter is a text that is there or not; FastAPI has null for what is left out."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0] | schema


def _drop_validation(operation: dict[str, Any]) -> None:
    """FastAPI's own answer to a wrong field; ours is INVALID_INPUT."""
    answer = operation["responses"].get(_VALIDATION_STATUS, {})
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith(_FASTAPI_ERRORS[0]):
        del operation["responses"][_VALIDATION_STATUS]


def problem_answers(codes: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The response objects of error codes, by status; each naming an example of each code."""
    by_status: dict[int, list[str]] = defaultdict(list)
    rows = catalogue()
    for code in sorted(codes):
        by_status[rows[code].http_status].append(code)
    for status, found in sorted(by_status.items()):
        examples = {code: {"$ref": f"#/components/examples/{code}"} for code in found}
        schema = {"$ref": "#/components/schemas/Problem"}
        yield (
            str(status),
            {
                "description": ", ".join(found),
                "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
            },
        )


def problem_example(row: Explanation) -> dict[str, Any]:
    """What a problem of this code looks like."""
    return {
        "type": row.problem_type,
        "title": row.meaning,
        "status": row.http_status,
        "detail": row.meaning,
        "code": row.code,
        "retryable": row.retryable,
        "next_action": row.next_action,
        "facts": {},
        "instance": "/v1/plans/EP-42",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
