"""The operator's brake: read it, set it, release it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bps.api.mode_request import ModeRequest
from bps.http.answers import answer, outcome_answer
from bps.http.documented import read, written
from bps.http.execute import OK, OperationId, principal_of
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.leadership.modes import Reason
from bps.leadership.operator_mode import OperatorMode, SetOperatorMode, operator_mode

ROUTER = router("mode")


@ROUTER.get(
    "/mode",
    response_model=OperatorMode,
    responses=read("What the operator wants of all sidecars."),
    openapi_extra=asks(Operation.MODE_READ),
)
async def show_mode(request: Request) -> Response:
    """Show whether an operator has made the service read-only, who, why and since when."""
    found = await operator_mode(service_of(request).sidecar.store)
    return answer(found.wanted, revision=found.revision)


@ROUTER.put(
    "/mode",
    response_model=OperatorMode,
    response_description="What the operator wants now.",
    responses=written(OperatorMode),
    openapi_extra=asks(Operation.MODE_WRITE),
)
async def set_mode(request: Request, op_id: OperationId, asked: ModeRequest) -> Response:
    """Make all sidecars read-only, or let them write again; each follows within a moment.

    It is a brake, no fence: a write that is under way may still commit. READ_WRITE also accepts
    the clock of a lone sidecar that is in doubt (CLOCK_JUMP).
    """
    command = SetOperatorMode(principal_of(request), op_id, asked.mode, asked.reason)
    passed = {Reason.OPERATOR, Reason.NO_SPACE, Reason.CLOCK_JUMP}
    sidecar = service_of(request).sidecar
    outcome = await sidecar.execute(command, despite=passed)
    if outcome.result.mode == "READ_WRITE" and outcome.how != "repeated":
        sidecar.clocks.accept(command.principal)
    return outcome_answer(outcome, status=OK)
