"""What the service says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Alive(BaseModel):
    """The process serves requests."""

    model_config = ConfigDict(frozen=True)

    alive: Literal[True] = True


class Leads(BaseModel):
    """This sidecar leads: it takes writes."""

    model_config = ConfigDict(frozen=True)

    leads: Literal[True] = True


class HoldView(BaseModel):
    """Something that forbids writing now."""

    model_config = ConfigDict(frozen=True)

    reason: str = Field(examples=["quorum_lost"])
    message: str = Field(examples=["etcd has no leader."])


class EdgeView(BaseModel):
    """The sidecar went into a mode; `at` is RFC 3339."""

    model_config = ConfigDict(frozen=True)

    mode: str = Field(examples=["READ_ONLY"])
    reason: str | None = Field(examples=["quorum_lost"])
    at: str = Field(examples=["2026-11-21T12:00:00.000Z"])
    message: str = Field(examples=["etcd has no leader."])


class Readiness(BaseModel):
    """Whether requests are served; all but `ready` with `?verbose` only."""

    model_config = ConfigDict(frozen=True)

    ready: bool
    mode: str | None = None
    reason: str | None = None
    since: str | None = Field(
        default=None,
        description="Since when it is in this mode; RFC 3339.",
        examples=["2026-11-21T12:00:00.000Z"],
    )
    holds: list[HoldView] | None = Field(
        default=None, description="All that forbids writing, the weightiest first."
    )
    edges: list[EdgeView] | None = Field(
        default=None, description="The last 20 changes of the mode, the newest first."
    )
    leader: str | None = None
    leader_url: str | None = None
    feed_revision: str | None = None
    feed_warm: bool | None = None
