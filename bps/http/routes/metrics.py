"""The metrics page for Prometheus; for this host only unless set public."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header
from prometheus_client import exposition
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import Response

from bps.http.routes.health import local_or_public
from bps.http.routing import operation_name
from bps.http.service import service_of

_OPENMETRICS = "application/openmetrics-text"

ROUTER = APIRouter(
    tags=["health"],
    dependencies=[Depends(local_or_public)],
    generate_unique_id_function=operation_name,
)


@ROUTER.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(
    request: Request, accept: Annotated[str, Header(description="Which text format.")] = ""
) -> Response:
    """All metrics, as Prometheus text or, where `Accept` asks for it, OpenMetrics.

    Cost: no round trip; about a millisecond.
    """
    exposed = service_of(request).sidecar.metrics.exposed
    if _OPENMETRICS in accept:
        page = openmetrics.generate_latest(exposed)  # type: ignore[no-untyped-call]
        content_type = openmetrics.CONTENT_TYPE_LATEST
    else:
        page = exposition.generate_latest(exposed)
        content_type = exposition.CONTENT_TYPE_PLAIN_0_0_4
    return Response(page, headers={"Content-Type": content_type, "Cache-Control": "no-store"})
