"""Who the service takes the caller for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bps.api.tokens import IdentityView
from bps.http.answers import answer
from bps.http.routing import asks, router
from bps.http.service import identity_of
from bps.identity.roles import Operation

ROUTER = router("identity")


@ROUTER.get(
    "/identity",
    response_model=IdentityView,
    openapi_extra=asks(Operation.IDENTITY_READ),
)
async def read_identity(request: Request) -> Response:
    """Show who the caller is, and by which credential it came in."""
    identity = identity_of(request)
    return answer(
        IdentityView(
            principal=identity.principal,
            roles=sorted(role.value for role in identity.roles),
            credential=identity.credential,
        )
    )
