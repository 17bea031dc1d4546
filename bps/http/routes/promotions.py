"""Promotions and reverts: the only acts that publish a canonical version."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Depends
from starlette.requests import Request
from starlette.responses import Response

from bps.api.requests import PromoteRequest, RevertRequest
from bps.core.errors import (
    Ambiguous,
    ClockNullified,
    Frozen,
    LimitExceeded,
    MergeConflict,
    MergeTooLong,
    NotFound,
    PluginError,
    PreconditionFailed,
    ReviewHeld,
    TooLarge,
    WorkFailed,
    WrongState,
)
from bps.http.answers import outcome_answer
from bps.http.documented import refuses, written
from bps.http.etags import if_match
from bps.http.execute import CREATED, OK, OperationId, execute, principal_of
from bps.http.parameters import PlanId
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.promotion.revert import Revert
from bps.writepath.precondition import IfMatch
from bps.writepath.preview import decide_only

ROUTER = router("promotions")

IfMatchHeader = Annotated[IfMatch | None, Depends(if_match)]


def _publishes(result: PromotionResult) -> bool:
    return result.how != "unchanged"


@ROUTER.post(
    "/plans/{plan}/promotions",
    status_code=CREATED,
    response_model=PromotionResult,
    response_description="A new version is canonical.",
    responses=written(PromotionResult, "The result equalled canonical, or this was a dry run."),
    openapi_extra=asks(
        Operation.PROMOTE,
        **refuses(
            NotFound,
            Ambiguous,
            PreconditionFailed,
            MergeConflict,
            ReviewHeld,
            WrongState,
            ClockNullified,
            LimitExceeded,
            Frozen,
            TooLarge,
            PluginError,
            WorkFailed,
            MergeTooLong,
        ),
    ),
)
async def promote(
    request: Request,
    plan: PlanId,
    op_id: OperationId,
    seen: IfMatchHeader,
    wanted: Annotated[PromoteRequest, Body()] = PromoteRequest(),  # noqa: B008 - frozen
) -> Response:
    """Publish successful RR-plans as the next canonical version, atomically.

    With `If-Match`, the ETag of canonical, it is a compare-and-swap: 412 where canonical has
    moved. The check is part of the transaction.
    """
    refs = wanted.refs(plan)
    command = Promote(principal_of(request), op_id, plan, refs, wanted.reason, seen)
    if not wanted.dry_run:
        return await execute(request, command, created=_publishes)
    sidecar = service_of(request).sidecar
    outcome = await decide_only(sidecar.reads, sidecar.clock, command, sidecar.showroom)
    if outcome.how == "noop":
        # A receipt proves an event, and there is none.
        result = outcome.result.model_copy(update={"receipt": None})
        return outcome_answer(outcome, status=OK, result=result)
    return outcome_answer(outcome, status=OK)


@ROUTER.post(
    "/plans/{plan}/reverts",
    status_code=CREATED,
    response_model=PromotionResult,
    response_description="A new version with the old content is canonical.",
    responses=written(PromotionResult, "Canonical has that content already."),
    openapi_extra=asks(
        Operation.REVERT, **refuses(NotFound, PreconditionFailed, Frozen, LimitExceeded)
    ),
)
async def revert(
    request: Request, plan: PlanId, op_id: OperationId, seen: IfMatchHeader, wanted: RevertRequest
) -> Response:
    """Publish an older version's content as the next version; history stays as it is."""
    principal = principal_of(request)
    command = Revert(principal, op_id, plan, wanted.to, wanted.reason, seen)
    return await execute(request, command, created=_publishes)
