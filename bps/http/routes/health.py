"""Whether the process lives, and whether it can serve; for this host only unless set public."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from bps.api.health import Alive, EdgeView, HoldView, Leads, Readiness
from bps.core.errors import BpsError, Forbidden, NotLeader, Unavailable
from bps.http.documented import refuses
from bps.http.routing import operation_name
from bps.http.server import is_loopback
from bps.http.service import service_of
from bps.plans.cloudevents import rfc3339

READY, NOT_READY = 200, 503


async def local_or_public(request: Request) -> None:
    """A dependency of unguarded routes that are not for everybody.

    Raises:
        Forbidden: the peer is another host, and `listen.public_health` is not set.
    """
    if service_of(request).public_health:
        return
    if request.client is None or not is_loopback(request.client.host):
        msg = "This is answered to the service's own host only."
        raise Forbidden(msg).advising(
            "Ask on that host, or set `public_health = true` under [listen] in its configuration."
        )


ROUTER = APIRouter(
    tags=["health"],
    dependencies=[Depends(local_or_public)],
    generate_unique_id_function=operation_name,
)


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
    terms = sidecar.terms
    return Readiness(
        ready=state.ready,
        mode=state.mode,
        reason=state.reason,
        since=rfc3339(terms.edges.last.at_ms),
        holds=[
            HoldView(reason=hold.reason.value, message=hold.error.message) for hold in terms.holds
        ],
        edges=[
            EdgeView(
                mode=edge.mode.value,
                reason=edge.reason.value if edge.reason is not None else None,
                at=rfc3339(edge.at_ms),
                message=edge.message,
            )
            for edge in terms.edges.newest_first
        ],
        leader=state.leader,
        leader_url=state.leader_url,
        feed_revision=str(state.feed_revision),
        feed_warm=state.feed_warm,
    )


@ROUTER.get("/leaderz", openapi_extra=refuses(NotLeader, Unavailable))
async def leaderz(request: Request, response: Response) -> Leads:
    """200 where this sidecar leads and takes writes; 503 elsewhere. For load balancers.

    Cost: no round trip.

    Raises:
        NotLeader: another one leads (the message says where), or this one drains.
        Unavailable: the store did not answer the election.
    """
    sidecar = service_of(request).sidecar
    if sidecar.draining.is_set():
        raise NotLeader("This sidecar is shutting down; write to another one.")
    try:
        sidecar.terms.write_path()
    except (NotLeader, Unavailable):
        raise
    except BpsError as error:
        # Whatever else forbids writing: to a load balancer it is one answer.
        raise NotLeader(error.message, **error.facts) from None
    response.headers["Cache-Control"] = "no-store"
    return Leads()
