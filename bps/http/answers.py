"""Answers: JSON of a model, or a blueprint's bytes, with the headers that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from bps.core.codec import Record
from bps.core.errors import IntegrityError
from bps.http.etags import not_modified, quoted
from bps.http.pages import cursor_of
from bps.http.reading import AGE, CONSISTENCY, DEGRADED, LINEARIZABLE_LABEL, labels
from bps.sidecar.degraded import Reading
from bps.writepath.command import Outcome

R = TypeVar("R", bound=Record)
T = TypeVar("T", bound=BaseModel)

YAML = "application/yaml"
REVISION = "BPS-Revision"
OUTCOME = "BPS-Outcome"
WHY = "BPS-Why"

_CACHING = {"Cache-Control": "private, no-cache"}
_NOT_MODIFIED = 304


def _header(description: str, example: str, *, required: bool = True) -> dict[str, Any]:
    schema = {"type": "string", "example": example}
    return {"description": description, "required": required, "schema": schema}


ETAG_HEADER = {"ETag": _header("Strong entity tag, for If-Match and If-None-Match.", '"7-5f1e"')}
REVISION_HEADER = {REVISION: _header("The store's revision at which this was read.", "1042")}
LABEL_HEADERS = {
    CONSISTENCY: _header("`linearizable`, `serializable` or `cache`.", "linearizable"),
    AGE: _header(
        "How old it may be at the most; with `serializable` and `cache`.", "740", required=False
    ),
    DEGRADED: _header(
        "Why it is not linearizable although it was asked for: `quorum_lost` or `no_answer`.",
        "quorum_lost",
        required=False,
    ),
}
OUTCOME_HEADERS = {
    OUTCOME: _header("`committed`, `repeated` (done before) or `noop`.", "committed"),
    WHY: _header(
        "Why nothing was written; with `noop` only.", "EP-42 is registered already", required=False
    ),
}


def answer(
    data: BaseModel,
    *,
    revision: int | None = None,
    etag: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    reading: Reading | None = None,
) -> Response:
    """`data` as JSON. `etag` is given without its quotes.

    Without a `reading`, what has a `revision` was read linearizably.
    """
    body = orjson.dumps(data.model_dump(mode="json"))
    return _response(body, revision, etag, status, headers, reading=reading)


def answer_list(data: list[T], *, headers: Mapping[str, str] | None = None) -> Response:
    """A list that is short by its nature, and so has no pages."""
    body = orjson.dumps([each.model_dump(mode="json") for each in data])
    return _response(body, None, None, headers=headers)


def answer_page(
    items: list[T],
    *,
    listing: str,
    last: str | None,
    revision: int | None = None,
    reading: Reading | None = None,
    unreadable: Mapping[str, IntegrityError] | None = None,
    **more: bool,
) -> Response:
    """One page; `last` names its last item where others follow. `unreadable` is by plan."""
    page: dict[str, Any] = {
        "items": [each.model_dump(mode="json") for each in items],
        "next_cursor": None if last is None else cursor_of(listing, last),
        **more,
    }
    if unreadable:
        page["unreadable"] = [
            {"plan": plan, "code": error.code, "detail": error.message}
            for plan, error in unreadable.items()
        ]
    return _response(orjson.dumps(page), revision, None, reading=reading)


def blueprint_answer(content: bytes, *, etag: str, revision: int, reading: Reading) -> Response:
    """A blueprint's very bytes; a browser must not take them for anything else."""
    headers = {**_headers(revision, etag, reading), "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, media_type=YAML)


def unless_known(
    request: Request, etag: str, revision: int | None = None, reading: Reading | None = None
) -> Response | None:
    """304 where the caller has what has this `etag`. Raises InvalidInput."""
    if not not_modified(request, etag):
        return None
    return Response(status_code=_NOT_MODIFIED, headers=_headers(revision, etag, reading))


def outcome_answer(
    outcome: Outcome[R], *, status: int, result: BaseModel | None = None, etag: str | None = None
) -> Response:
    """What became of a command. A repeated one gets body and status of the first."""
    headers: dict[str, str] = {OUTCOME: outcome.how}
    if outcome.how == "noop":
        headers[WHY] = outcome.why.encode("ascii", "backslashreplace").decode()
    return answer(result or outcome.result, etag=etag, status=status, headers=headers)


def _response(
    body: bytes,
    revision: int | None,
    etag: str | None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    reading: Reading | None = None,
) -> Response:
    every = {**_headers(revision, etag, reading), **(headers or {})}
    return Response(body, status, every, "application/json")


def _headers(
    revision: int | None, etag: str | None, reading: Reading | None = None
) -> dict[str, str]:
    headers = dict(_CACHING)
    if revision is not None:
        headers[REVISION] = str(revision)
        headers |= LINEARIZABLE_LABEL if reading is None else labels(reading)
    if etag is not None:
        headers["ETag"] = quoted(etag)
    return headers
