"""Whether the process lives, and whether it can serve; for this host only unless set public."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from bps.api.health import Alive, Readiness
from bps.core.errors import Forbidden
from bps.http.server import is_loopback
from bps.http.service import service_of

READY, NOT_READY = 200, 503


async def local_or_public(request: Request) -> None:
    """A dependency of unguarded routes that are not for everybody.

    Raises:
        Forbidden: the peer is another host, and `listen.public_health` is not set.
    """
    if service_of(request).public_health:
        return
    if request.client is None or not is_loopback(request.client.host):
        raise Forbidden("This is answered to this host only; see listen.public_health.")


ROUTER = APIRouter(tags=["health"], dependencies=[Depends(local_or_public)])


@ROUTER.get("/livez")
async def livez() -> Alive:
    """The process serves requests; nothing else is looked at."""
    return Alive()


@ROUTER.get(
    "/readyz", responses={NOT_READY: {"model": Readiness}}, response_model_exclude_unset=True
)
async def readyz(
    request: Request,
    response: Response,
    verbose: Annotated[str | None, Query(description="Say more; the value is ignored.")] = None,
) -> Readiness:
    """200 once the first election has an answer and the watch stands; 503 before, and at the end.

    Cost: no round trip.
    """
    sidecar = service_of(request).sidecar
    state = sidecar.readiness()
    response.status_code = READY if state.ready else NOT_READY
    response.headers["Cache-Control"] = "no-store"
    if verbose is None:
        return Readiness(ready=state.ready)
    return Readiness(
        ready=state.ready,
        mode=state.mode,
        reason=state.reason,
        leader=state.leader,
        feed_revision=str(state.feed_revision),
        feed_warm=state.feed_warm,
    )
