"""A page of events, of one plan or of all."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bps.plans.cloudevents import CloudEvent


class UnreadableEvent(BaseModel):
    """An event that this release cannot read, or that was damaged; `code` is in docs/errors.md."""

    model_config = ConfigDict(extra="forbid")

    plan: str
    seq: str
    code: str
    detail: str


class EventPage(BaseModel):
    """Events in order; `next_after` asks for those that follow, also if there are none yet.

    `unreadable` is there only if it holds something, and is about events of this page.
    """

    model_config = ConfigDict(extra="forbid")

    events: list[CloudEvent]
    next_after: str
    unreadable: list[UnreadableEvent] = Field(default_factory=list)
