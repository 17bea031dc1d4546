"""What routes say of themselves for the OpenAPI document and for the reference page."""

from __future__ import annotations

from typing import Any

from bps.core.errors import BpsError
from bps.http.answers import ETAG_HEADER, LABEL_HEADERS, OUTCOME_HEADERS, REVISION_HEADER, YAML
from bps.http.body import YAML_TYPES

PROBLEMS = "x-bps-problems"
"""Codes of errors that an operation can answer beside those that any of its kind can."""
EXAMPLE = "x-bps-example"
"""What the example request of an operation has other than the examples of its parameters."""

EXAMPLE_BLUEPRINT = "title: Checkout service\ntasks:\n  - id: charge\n    timeout_ms: 2500\n"

_MAPPING = {"type": "object"}
"""A schema is of what YAML holds, not of its bytes (OpenAPI 3.1, media type object)."""

READ_HEADERS = {**REVISION_HEADER, **LABEL_HEADERS}
TAGGED_HEADERS = {**ETAG_HEADER, **READ_HEADERS}

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "You have it: If-None-Match names its ETag.", "headers": TAGGED_HEADERS}
}


def refuses(*kinds: type[BpsError]) -> dict[str, list[str]]:
    """For `asks`: the errors that are this operation's own."""
    return {PROBLEMS: [kind.code for kind in kinds]}


def example(**differences: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """For `asks`: `path`, `query`, `headers` or `body` of the example request.

    `etag_of` is the path whose ETag it reads first, to send it as `If-Match`.
    """
    return {EXAMPLE: differences}


def yaml_body(text: str = EXAMPLE_BLUEPRINT) -> dict[str, Any]:
    """For `asks`: the request's body is a blueprint's bytes."""
    content = {media: {"schema": _MAPPING, "example": text} for media in YAML_TYPES}
    return {"requestBody": {"required": True, "content": content}}


def read(description: str, *, etag: bool = False) -> dict[int | str, dict[str, Any]]:
    """The success of a read, with its headers; and 304 where it has an ETag."""
    headers = TAGGED_HEADERS if etag else READ_HEADERS
    answers: dict[int | str, dict[str, Any]] = {
        200: {"description": description, "headers": headers}
    }
    return {**answers, **NOT_MODIFIED} if etag else answers


def blueprint_read(description: str) -> dict[int | str, dict[str, Any]]:
    """The success of a read of a blueprint's bytes."""
    answers = read(description, etag=True)
    answers[200]["content"] = {YAML: {"schema": _MAPPING, "example": EXAMPLE_BLUEPRINT}}
    return answers


def written(
    model: Any,  # noqa: ANN401 - any type that FastAPI takes as a model
    unchanged: str | None = None,
    headers: dict[str, Any] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """The headers of a write's answer; `unchanged` describes the 200 beside a 201."""
    headers = {**OUTCOME_HEADERS, **(headers or {})}
    if unchanged is None:
        return {200: {"headers": headers}}
    return {
        201: {"headers": headers},
        200: {"model": model, "description": unchanged, "headers": headers},
    }


def created() -> dict[int | str, dict[str, Any]]:
    """The headers of the answer of a write that always answers 201."""
    return {201: {"headers": OUTCOME_HEADERS}}
