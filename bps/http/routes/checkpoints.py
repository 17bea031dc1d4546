"""The chain of checkpoints; each is verified before it is shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from bps.api.checkpoints import CheckpointView
from bps.api.pages import PageOf
from bps.checkpoints.read import checkpoints_page, one_checkpoint
from bps.core.errors import BadSignature, MalformedRecord, NotFound
from bps.http.answers import answer, answer_page
from bps.http.documented import read, refuses
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after, digits
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation

ROUTER = router("checkpoints")
_LISTING = "checkpoints"

CheckpointNumber = Annotated[
    int,
    Field(ge=1, le=2**63 - 1),
    BeforeValidator(digits),
    Path(description="Number of a checkpoint.", examples=["1"]),
]


@ROUTER.get(
    "/checkpoints",
    response_model=PageOf[CheckpointView],
    responses=read("Checkpoints in their order."),
    openapi_extra=asks(Operation.CHECKPOINT_READ, **refuses(BadSignature, MalformedRecord)),
)
async def list_checkpoints(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List checkpoints, oldest first."""
    start = after(cursor, _LISTING, digits) or 0
    page = await checkpoints_page(service_of(request).sidecar.reads, start, limit)
    views = [CheckpointView.of(each.checkpoint, each.hash) for each in page.items]
    last = None if page.last is None else str(page.last)
    return answer_page(views, listing=_LISTING, last=last, revision=page.revision)


@ROUTER.get(
    "/checkpoints/{seq}",
    response_model=CheckpointView,
    responses=read("One checkpoint."),
    openapi_extra=asks(
        Operation.CHECKPOINT_READ, **refuses(NotFound, BadSignature, MalformedRecord)
    ),
)
async def show_checkpoint(request: Request, seq: CheckpointNumber) -> Response:
    """Show one checkpoint."""
    found, revision = await one_checkpoint(service_of(request).sidecar.reads, seq)
    return answer(CheckpointView.of(found.checkpoint, found.hash), revision=revision)
