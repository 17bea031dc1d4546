"""Routes that know their operation: the caller is admitted before a byte of the body is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from bps.http.admission import check_query
from bps.http.body import StrictRequest
from bps.http.deadline import begin_deadline, deadline_of
from bps.http.service import service_of
from bps.identity.roles import Operation

OPERATION = "x-bps-operation"
"""The extension of an OpenAPI operation that names what the authorisation matrix calls it."""

_READING = frozenset({"GET", "HEAD"})


class GuardedRoute(APIRoute):
    """A route of the API; its `openapi_extra` names its operation."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Admit first, refuse unknown query parameters, parse strictly, then call."""
        handle = super().get_route_handler()
        operation = Operation((self.openapi_extra or {})[OPERATION])
        known = frozenset(_query_names(self.dependant))
        takes_json = self.body_field is not None
        writes = _READING.isdisjoint(self.methods or ())

        async def guarded(request: Request) -> Response:
            service = service_of(request)
            if writes:
                begin_deadline(request)
            identity = request.state.identity = await service.guard.admit(request, operation)
            if writes:
                # Before its body is read: under overload, refusing has to cost next to nothing.
                service.sidecar.refuse_write_early(identity.principal, deadline_of(request))
            if query := request.scope["query_string"]:
                check_query(query, known)
            strict = StrictRequest(request.scope, request.receive)
            if takes_json:
                await strict.read_json()
            return await handle(strict)

        return guarded


def router(tag: str) -> APIRouter:
    """A router under `/v1` whose routes are guarded."""
    return APIRouter(
        prefix="/v1",
        tags=[tag],
        route_class=GuardedRoute,
        generate_unique_id_function=operation_name,
    )


def operation_name(route: APIRoute) -> str:
    """The name of an operation is that of its function: each is used once."""
    return route.name


def asks(operation: Operation, **extra: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAPI objects
    """The `openapi_extra` of a route that asks for `operation`."""
    return {OPERATION: operation.value, **extra}


def _query_names(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a route, those of its dependencies and models included."""
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = model.model_fields.items()
            yield from (str(field.alias or name) for name, field in fields)
        else:
            yield parameter.alias
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)
