"""What `bps doctor` shows, asked of the service."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bps.api.views import CheckView
from bps.bootstrap import check_members
from bps.http.answers import answer_list
from bps.http.routing import asks, router
from bps.http.service import service_of
from bps.identity.roles import Operation
from bps.sidecar.diagnosis import diagnose, diagnose_sidecar

ROUTER = router("doctor")


@ROUTER.get(
    "/doctor",
    response_model=list[CheckView],
    response_description="All checks, failed ones included.",
    openapi_extra=asks(Operation.DOCTOR_READ),
)
async def doctor(request: Request) -> Response:
    """Check the store, its set-up and this sidecar."""
    service = service_of(request)
    store, settings = service.sidecar.store, service.settings
    checks = await diagnose(
        store,
        endpoints=settings.endpoints,
        check_versions=lambda: check_members(store, settings),
        quota_bytes=settings.quota_bytes,
    )
    return answer_list([*checks, *await diagnose_sidecar(service.sidecar)])
