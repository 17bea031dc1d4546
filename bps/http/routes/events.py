"""Events of one plan or of all: as a stream, or by pages where a stream cannot pass."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.api.event_page import EventPage
from bps.core.errors import (
    ChainBroken,
    Compacted,
    InvalidInput,
    MalformedRecord,
    NotAcceptable,
    NotFound,
    TooManyConnections,
)
from bps.http.accept import negotiated
from bps.http.documented import refuses
from bps.http.long_poll import LongPoll
from bps.http.pages import DEFAULT_LIMIT, Limit, digits
from bps.http.parameters import PlanId
from bps.http.routing import asks, router
from bps.http.service import identity_of, service_of
from bps.http.streams import HEADERS, MEDIA_TYPE, EventStream, Reader
from bps.identity.roles import Operation
from bps.sidecar.events import Position

ROUTER = router("events")

_JSON = "application/json"
_OFFERED = (_JSON, MEDIA_TYPE)
_MAX_NUMBER = 2**63 - 2
_ID = re.compile(r"(0|[1-9][0-9]{0,18})(?:-(0|[1-9][0-9]{0,5}))?")
_MAX_WAIT_S = 60
_ID_FORM = "^(0|[1-9][0-9]{0,18})(-(0|[1-9][0-9]{0,5}))?$"

Seq = Annotated[
    int,
    BeforeValidator(digits),
    Query(ge=0, le=_MAX_NUMBER, description="Number of the last event seen.", examples=[0]),
]
After = Annotated[
    str | None,
    Query(
        description="Id of the last event seen, or a revision; without it: from now on.",
        json_schema_extra={"pattern": _ID_FORM},
    ),
]
Wait = Annotated[
    int,
    BeforeValidator(digits),
    Query(ge=0, le=_MAX_WAIT_S, description="Seconds to wait for an event.", examples=[0]),
]
LastEventId = Annotated[
    str | None,
    Header(description="Of a stream; goes before `after`.", json_schema_extra={"maxLength": 32}),
]

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events in order: a page, or a stream.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}
_HEAD: dict[str, Any] = {
    "include_in_schema": False,
    "openapi_extra": asks(Operation.EVENTS_READ),
}
_REFUSALS = (NotAcceptable, TooManyConnections)


@ROUTER.head("/plans/{plan}/events", **_HEAD)
@ROUTER.get(
    "/plans/{plan}/events",
    response_model=EventPage,
    responses=_ANSWERS,
    openapi_extra=asks(
        Operation.EVENTS_READ, **refuses(NotFound, ChainBroken, MalformedRecord, *_REFUSALS)
    ),
)
async def plan_events(
    request: Request,
    plan: PlanId,
    *,
    after: Seq = 0,
    limit: Limit = DEFAULT_LIMIT,
    wait_s: Wait = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """Read a plan's events after number `after`, from its log on; each once, in order."""
    media = _media(request)
    if media == MEDIA_TYPE and last_event_id:
        after = _seq(last_event_id)
    reader = await service_of(request).sidecar.events.plan_from(plan, after)
    return await _answer(request, reader, media, limit, wait_s)


@ROUTER.head("/events", **_HEAD)
@ROUTER.get(
    "/events",
    response_model=EventPage,
    responses=_ANSWERS,
    openapi_extra=asks(Operation.EVENTS_READ, **refuses(Compacted, *_REFUSALS)),
)
async def all_events(
    request: Request,
    *,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
    wait_s: Wait = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """Read the events of all plans after `after`, or from now on; each once, in order."""
    media = _media(request)
    position = None if after is None else _position(after, "after")
    if media == MEDIA_TYPE and last_event_id:
        position = _position(last_event_id, "Last-Event-ID")
    reader = await service_of(request).sidecar.events.all_from(position)
    return await _answer(request, reader, media, limit, wait_s)


async def _answer(
    request: Request, reader: Reader, media: str, limit: int, wait_s: int
) -> Response:
    service, identity = service_of(request), identity_of(request)
    if request.method == "HEAD":
        return Response(headers={**HEADERS, "Content-Type": media})
    service.streams.check(identity.principal, service.limits)
    if media == MEDIA_TYPE:
        return EventStream(service, identity, reader)
    return await LongPoll(service, reader, limit).answer(request, wait_s)


def _media(request: Request) -> str:
    """Raises NotAcceptable."""
    return negotiated(",".join(request.headers.getlist("accept")), _OFFERED)


def _seq(text: str) -> int:
    """Raises InvalidInput."""
    try:
        seq = digits(text)
    except ValueError:
        seq = _MAX_NUMBER + 1
    if seq > _MAX_NUMBER:
        msg = "Last-Event-ID is none of this stream; an id is the number of an event."
        raise InvalidInput(msg, field="Last-Event-ID")
    return seq


def _position(text: str, field: str) -> Position:
    """`{revision}-{index}`, or a revision of which all was seen. Raises InvalidInput."""
    found = _ID.fullmatch(text)
    if found is None or int(found[1]) > _MAX_NUMBER:
        msg = f"{field} is none of this stream; an id is like 1042-1, or a revision."
        raise InvalidInput(msg, field=field)
    revision = int(found[1])
    if found[2] is None:
        return Position(revision + 1, 0)
    return Position(max(revision, 1), int(found[2]))
