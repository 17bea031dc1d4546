"""Initiatives over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from bps.api.initiatives import InitiativeRequest, InitiativeView, initiative_rows
from bps.api.pages import PageOf
from bps.core import ids
from bps.core.errors import Exists, NotFound
from bps.http.answers import answer, answer_page, outcome_answer
from bps.http.documented import created, read, refuses
from bps.http.execute import CREATED, OperationId, carry_out, principal_of
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.initiatives.model import Initiative
from bps.initiatives.read import initiative, initiatives_page

ROUTER = router("initiatives")
_LISTING = "initiatives"

InitiativeId = Annotated[
    str,
    AfterValidator(ids.initiative_id),
    Path(
        alias="initiative",
        description="An initiative's id.",
        examples=["default"],
        json_schema_extra={"pattern": f"^{ids.INITIATIVE_FORM}$"},
    ),
]
"""Raises InvalidId."""


@ROUTER.get(
    "/initiatives",
    response_model=PageOf[InitiativeView],
    responses=read("Initiatives by their ids; a page can hold fewer than `limit`."),
    openapi_extra=asks(Operation.INITIATIVE_READ),
)
async def list_initiatives(
    request: Request, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List initiatives.

    One whose record cannot be read has the state `unreadable`, and `why` says why.
    """
    start = after(cursor, _LISTING, _position) or ""
    page = await initiatives_page(service_of(request).sidecar.reads, start, limit)
    rows = initiative_rows(page)
    return answer_page(rows, listing=_LISTING, last=page.last, revision=page.revision)


@ROUTER.post(
    "/initiatives",
    status_code=CREATED,
    response_model=Initiative,
    response_description="Made, or there already with the same title and time zone.",
    responses=created(),
    openapi_extra=asks(Operation.INITIATIVE_CREATE, **refuses(Exists)),
)
async def create_initiative(
    request: Request, wanted: InitiativeRequest, op_id: OperationId
) -> Response:
    """Make an initiative, which plans belong to. The same one again changes nothing."""
    command = wanted.command(principal_of(request), op_id)
    outcome = await carry_out(request, command)
    # One status for all: a repeated request cannot tell whether the first one made it.
    return outcome_answer(outcome, status=CREATED)


@ROUTER.get(
    "/initiatives/{initiative}",
    response_model=Initiative,
    responses=read("Its title and its time zone."),
    openapi_extra=asks(Operation.INITIATIVE_READ, **refuses(NotFound)),
)
async def read_initiative(request: Request, name: InitiativeId) -> Response:
    """Show an initiative."""
    found, revision = await initiative(service_of(request).sidecar.reads, name)
    return answer(found, revision=revision)


def _position(name: str) -> str:
    """An initiative's id, with what lies below it or without. Raises InvalidId."""
    ids.initiative_id(name.partition("/")[0])
    return name
