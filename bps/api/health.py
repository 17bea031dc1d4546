"""What the service says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Alive(BaseModel):
    """The process serves requests."""

    model_config = ConfigDict(frozen=True)

    alive: Literal[True] = True


class Leads(BaseModel):
    """This sidecar leads: it takes writes."""

    model_config = ConfigDict(frozen=True)

    leads: Literal[True] = True


class Readiness(BaseModel):
    """Whether requests are served; all but `ready` with `?verbose` only."""

    model_config = ConfigDict(frozen=True)

    ready: bool
    mode: str | None = None
    reason: str | None = None
    leader: str | None = None
    leader_url: str | None = None
    feed_revision: str | None = None
    feed_warm: bool | None = None
