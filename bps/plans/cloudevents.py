"""Events as CloudEvents 1.0, structured JSON, at every edge (K5; cloudevents.io/spec v1.0.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bps.core.ids import RRPlanId
from bps.plans.events import Envelope, body_type

TYPE_PREFIX = "io.haios.bps."


class CloudEvent(BaseModel):
    """One event of a plan's log. `data` is the stored body, `bps*` are extension attributes."""

    model_config = ConfigDict(extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="seq in the plan's log; unique within source")
    source: str = Field(description="/plans/{plan}")
    type: str
    subject: str | None = Field(default=None, description="the branch, with the RR-plan's number")
    time: str = Field(description="RFC 3339, UTC, milliseconds")
    datacontenttype: Literal["application/json"] = "application/json"
    bpsactor: str
    bpscounter: str
    bpsoperation: str
    bpstrace: str | None = None
    bpsprev: str
    data: dict[str, Any]


def rfc3339(time_ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 text in UTC."""
    instant = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cloud_event(envelope: Envelope, body: bytes) -> CloudEvent:
    """The event that `envelope` and the stored `body` describe.

    Raises:
        MalformedRecord: an unknown type, or not the body of that type.
        SchemaTooNew: a newer release wrote it, and this one cannot read it.
    """
    kind = body_type(envelope)
    subject = None
    if envelope.branch is not None:
        subject = envelope.branch
        if envelope.rr is not None:
            subject = str(RRPlanId(envelope.plan, envelope.branch, envelope.rr))
    return CloudEvent(
        id=str(envelope.seq),
        source=f"/plans/{envelope.plan}",
        type=TYPE_PREFIX + envelope.type.lower(),
        subject=subject,
        time=rfc3339(envelope.time_ms),
        bpsactor=envelope.actor,
        bpscounter=str(envelope.counter),
        bpsoperation=envelope.op,
        bpstrace=envelope.trace_id,
        bpsprev=envelope.prev,
        data=kind.decode(body).model_dump(mode="json", by_alias=True),
    )
