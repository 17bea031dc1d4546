"""Events of one plan or of all: as a stream, or by pages where a stream cannot pass."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import BeforeValidator, Field
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
from bps.http.head import is_head
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
_SEQ_FORM = "^(0|[1-9][0-9]{0,18})?$"
_ID_FORM = "^(0|[1-9][0-9]{0,18})(-(0|[1-9][0-9]{0,5}))?$"

Seq = Annotated[
    int,
    Field(ge=0, le=_MAX_NUMBER),
    BeforeValidator(digits),
    Query(description="Number of the last event seen.", examples=[0]),
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
    Field(ge=0, le=_MAX_WAIT_S),
    BeforeValidator(digits),
    Query(description="Seconds to wait for an event.", examples=[0]),
]
_LAST = "The same for a stream, where it goes before `after`; a page checks its form."
LastSeq = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description=_LAST, json_schema_extra={"pattern": _SEQ_FORM}),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description=_LAST,
        json_schema_extra={"pattern": _ID_FORM.replace("^", "^(").replace("$", ")?$")},
    ),
]

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events in order: a page, or a stream.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}
_REFUSALS = (NotAcceptable, TooManyConnections)


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
    last_event_id: LastSeq = None,
) -> Response:
    """Read a plan's events after number `after`, from its log on; each once, in order."""
    media = _media(request)
    last = _seq(last_event_id) if last_event_id else None
    if media == MEDIA_TYPE and last is not None:
        after = last
    reader = await service_of(request).sidecar.events.plan_from(plan, after)
    return await _answer(request, reader, media, limit, wait_s)


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
    last = _position(last_event_id, "Last-Event-ID") if last_event_id else None
    if media == MEDIA_TYPE and last is not None:
        position = last
    reader = await service_of(request).sidecar.events.all_from(position)
    return await _answer(request, reader, media, limit, wait_s)


async def _answer(
    request: Request, reader: Reader, media: str, limit: int, wait_s: int
) -> Response:
    service, identity = service_of(request), identity_of(request)
    if is_head(request):
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
