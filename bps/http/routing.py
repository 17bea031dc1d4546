"""Routes that know their operation: the caller is admitted before a byte of the body is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from bps.http.body import StrictRequest
from bps.http.service import service_of
from bps.identity.roles import Operation

OPERATION = "x-bps-operation"
"""The extension of an OpenAPI operation that names what the authorisation matrix calls it."""


class GuardedRoute(APIRoute):
    """A route of the API; its `openapi_extra` names its operation."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Admit first, then parse strictly, then call."""
        handle = super().get_route_handler()
        operation = Operation((self.openapi_extra or {})[OPERATION])

        async def guarded(request: Request) -> Response:
            service = service_of(request)
            request.state.identity = await service.guard.admit(request, operation)
            return await handle(StrictRequest(request.scope, request.receive))

        return guarded


def router(tag: str) -> APIRouter:
    """A router under `/v1` whose routes are guarded."""
    return APIRouter(prefix="/v1", tags=[tag], route_class=GuardedRoute)


def asks(operation: Operation, **extra: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAPI objects
    """The `openapi_extra` of a route that asks for `operation`."""
    return {OPERATION: operation.value, **extra}
