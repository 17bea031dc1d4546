"""Accepting that an older state of the store was restored."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bps.api.requests import RollbackRequest
from bps.checkpoints.accepted import AcceptedRollback
from bps.core.errors import ConfigError, StoreRolledBack, WrongState
from bps.http.answers import outcome_answer
from bps.http.documented import created, refuses
from bps.http.execute import CREATED, OperationId, principal_of
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.sidecar.rollbacks import accept_rollback

ROUTER = router("rollbacks")


@ROUTER.post(
    "/rollbacks",
    status_code=CREATED,
    response_model=AcceptedRollback,
    response_description="Accepted, now or before.",
    responses=created(),
    openapi_extra=asks(
        Operation.ROLLBACK_ACCEPT, **refuses(WrongState, StoreRolledBack, ConfigError)
    ),
)
async def accept(request: Request, wanted: RollbackRequest, op_id: OperationId) -> Response:
    """Take what the store holds for the truth, although a mirror of checkpoints holds more.

    Without `mirrored` the mirror of the sidecar that is asked is meant; it may refuse writes now.
    """
    outcome = await accept_rollback(
        service_of(request).sidecar, principal_of(request), op_id, wanted.reason, wanted.lost()
    )
    return outcome_answer(outcome, status=CREATED)
