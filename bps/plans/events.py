"""The events of a plan: a hashed envelope, and a body keyed apart that it names by digest (R10).

The envelope keeps the chain verifiable after gc has deleted a body.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from bps.core.codec import NEXT_SCHEMA, Decimal, Record, Sha256, Since, TimeMs
from bps.core.errors import MalformedRecord, SchemaTooNew
from bps.plans.merge_record import MergeRecord
from bps.plans.model import ClockMap, Contributor, StoredState
from bps.plans.review_events import REVIEW_BODIES, ReviewBody


class Envelope(Record):
    """`plan-data/{p}/events/{seq}`: immutable. `prev` is the SHA-256 of the envelope before.

    `op` is `principal/id`; `actor` is `canonical` or a branch id, `counter` its counter after
    this event, `clock_digest` the SHA-256 of the actor's whole clock after it.
    """

    KIND: ClassVar[str] = "event"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    plan: str
    seq: Decimal
    type: str
    actor: str
    counter: Decimal
    branch: str | None
    rr: Decimal | None
    op: str
    trace_id: str | None
    time_ms: TimeMs
    prev: Sha256
    body_digest: Sha256
    clock_digest: Sha256
    policy_digest: Sha256


class PlanRegistered(Record):
    """The plan was sealed, and its blueprint is canonical version 1."""

    KIND: ClassVar[str] = "plan_registered"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "PLAN_REGISTERED"

    initiative: str
    title: str
    digest: Sha256
    size_bytes: int


class BranchOpened(Record):
    """An RR-plan was opened on a fork of the canonical version `base_version` (R2, R5).

    `inherited_clock` joins the clocks of the parent RR-plan and of the branch so far.
    """

    KIND: ClassVar[str] = "branch_opened"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "BRANCH_OPENED"

    short: str
    fingerprint: str
    opened_by: Literal["regression", "rebase"]
    parent_rr: str | None
    inherited_clock: ClockMap
    summary: str
    base_version: Decimal
    base_digest: Sha256


class TraceLinked(Record):
    """Another trace reported the same root cause (R2).

    It joined the open RR-plan that the envelope names, or, where that names none, came late: after
    the newest RR-plan was closed, by a reporter who had not seen that. `last_counter` is then the
    branch's counter before this event. `keep_name`: the branch record still has room for it.
    """

    KIND: ClassVar[str] = "trace_linked"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "TRACE_LINKED"

    last_counter: Decimal | None
    keep_name: bool


class BranchSucceeded(Record):
    """The RR-plan's blueprint was submitted, by whom `by` says since schema 2."""

    KIND: ClassVar[str] = "branch_succeeded"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "BRANCH_SUCCEEDED"

    digest: Sha256
    size_bytes: int
    by: Annotated[str | None, Since(2)] = None


class VcNullify(Record):
    """The RR-plan entered an OBSOLETE_* state; `last_counter` is that of its last real event."""

    KIND: ClassVar[str] = "vc_nullify"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "VC_NULLIFY"

    rr_plan: str
    last_counter: Decimal
    status: StoredState
    reason: str


class BlueprintPromoted(Record):
    """A new canonical version was published: a promotion, or a revert to an older one (R6).

    `merge` says how the result was made where it is more than law 1 (ADR 0026).
    """

    KIND: ClassVar[str] = "blueprint_promoted"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "BLUEPRINT_PROMOTED"

    version: Decimal
    how: Literal["promotion", "revert"]
    base_version: Decimal
    digest: Sha256
    size_bytes: int
    contributors: list[Contributor]
    reverted_to: Decimal | None
    reason: str
    merge: Annotated[MergeRecord | None, Since(2)] = None


Body = (
    PlanRegistered
    | BranchOpened
    | TraceLinked
    | BranchSucceeded
    | VcNullify
    | BlueprintPromoted
    | ReviewBody
)

BODIES: dict[str, type[Body]] = {
    body.TYPE: body
    for body in (
        PlanRegistered,
        BranchOpened,
        TraceLinked,
        BranchSucceeded,
        VcNullify,
        BlueprintPromoted,
        *REVIEW_BODIES,
    )
}
"""Every event type that exists, with the class of its body."""


def body_type(envelope: Envelope) -> type[Body]:
    """The class of the body that belongs to `envelope`.

    Raises:
        SchemaTooNew: the next release wrote an event that this one does not know.
        MalformedRecord: there is no such event.
    """
    kind = BODIES.get(envelope.type)
    if kind is None:
        msg = f"{envelope.type} is no event type of this release."
        if envelope.STAMP == NEXT_SCHEMA:
            raise SchemaTooNew(msg, schema=NEXT_SCHEMA, readable=NEXT_SCHEMA)
        raise MalformedRecord(msg)
    return kind
