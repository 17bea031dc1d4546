"""From a request to a command on the write path, and from its outcome to an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, TypeVar

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from bps.core.codec import Record
from bps.http.answers import outcome_answer
from bps.http.body import operation_id
from bps.http.deadline import deadline_of
from bps.http.service import identity_of, service_of
from bps.leadership.modes import Reason
from bps.writepath.command import Command, Outcome

R = TypeVar("R", bound=Record)

OperationId = Annotated[str, Depends(operation_id)]
"""The request's idempotency key."""

CREATED = 201
OK = 200


def principal_of(request: Request) -> str:
    """Who acts."""
    return identity_of(request).principal


async def execute(
    request: Request, command: Command[R], *, created: Callable[[R], bool] | None = None
) -> Response:
    """Carry `command` out; 201 where its result says that it created something, else 200.

    The status follows from the result alone, so that a repeated request gets the same.

    Raises:
        Whatever `Sidecar.execute` raises.
    """
    outcome = await carry_out(request, command)
    status = CREATED if created is not None and created(outcome.result) else OK
    return outcome_answer(outcome, status=status)


async def carry_out(
    request: Request, command: Command[R], *, despite: Collection[Reason] = ()
) -> Outcome[R]:
    """Run `command` by the request's deadline; `despite` as `Sidecar.execute`, which raises."""
    sidecar = service_of(request).sidecar
    return await sidecar.execute(command, despite=despite, deadline_s=deadline_of(request))
