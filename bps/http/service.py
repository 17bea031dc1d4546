"""What routes work with: the sidecar, the guard, and the limits of this listener."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, cast

from starlette.requests import HTTPConnection

from bps.bootstrap import Settings
from bps.http.limits import Limits
from bps.http.open_streams import OpenStreams
from bps.http.proof_slots import ProofSlots
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

    async def still_valid(self, identity: Identity) -> bool:
        """Whether who came in before may stay; cheap, asked again and again by streams."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """Kept as `app.state.service`. `public_health` opens health and metrics to other hosts."""

    sidecar: Sidecar
    guard: Guard
    limits: Limits
    settings: Settings = field(default_factory=Settings)
    proofs: ProofSlots = field(default_factory=ProofSlots)
    streams: OpenStreams = field(default_factory=OpenStreams)
    public_health: bool = False


def service_of(request: HTTPConnection) -> Service:
    """The service that `request` came to."""
    return cast("Service", request.app.state.service)


def identity_of(request: HTTPConnection) -> Identity:
    """Who asks; every guarded route has one."""
    return cast("Identity", request.state.identity)
