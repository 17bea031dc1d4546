"""What routes work with: the sidecar, the guard, and the limits of this listener."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from starlette.requests import HTTPConnection

from bps.http.limits import Limits
from bps.identity.roles import Identity, Operation
from bps.sidecar.sidecar import Sidecar


class Guard(Protocol):
    """Decides who comes in; see `bps.http.guard`."""

    async def admit(self, request: HTTPConnection, operation: Operation) -> Identity:
        """The caller's identity, allowed to do `operation` now.

        Raises:
            Unauthenticated, Forbidden, RateLimited.
        """
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """Kept as `app.state.service`."""

    sidecar: Sidecar
    guard: Guard
    limits: Limits


def service_of(request: HTTPConnection) -> Service:
    """The service that `request` came to."""
    return cast("Service", request.app.state.service)


def identity_of(request: HTTPConnection) -> Identity:
    """Who asks; every guarded route has one."""
    return cast("Identity", request.state.identity)
