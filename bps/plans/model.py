"""The stored records of a plan. Field order is documentation; stored bytes are sorted."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bps.core.codec import Decimal, DecimalMap, Record, Sha256, Since, TimeMs
from bps.core.ids import RRPlanId

ClockMap = DecimalMap


class State(StrEnum):
    """States of an RR-plan. Entering an OBSOLETE_* state emits VC_NULLIFY (R6, R11)."""

    OPEN = "OPEN"
    SUCCEEDED = "SUCCEEDED"
    PROMOTED = "PROMOTED"
    OBSOLETE_MERGED = "OBSOLETE_MERGED"
    OBSOLETE_FAILED = "OBSOLETE_FAILED"
    OBSOLETE_SUPERSEDED = "OBSOLETE_SUPERSEDED"
    OBSOLETE_REJECTED = "OBSOLETE_REJECTED"
    OBSOLETE_EXPIRED = "OBSOLETE_EXPIRED"
    OBSOLETE_NULLIFIED = "OBSOLETE_NULLIFIED"

    @property
    def live(self) -> bool:
        """Whether further events of the RR-plan are possible."""
        return self in {State.OPEN, State.SUCCEEDED}

    @property
    def obsolete(self) -> bool:
        """Whether the RR-plan was nullified."""
        return self.value.startswith("OBSOLETE_")


StoredState = Annotated[State, Field(strict=False)]
"""A state in a record; stored as its name, which strict validation alone would refuse."""


class Plan(Record):
    """`plans/{p}`: the sealed execution plan; never written again (R10)."""

    KIND: ClassVar[str] = "plan"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    plan: str
    initiative: str
    title: str
    status: Literal["SEALED"] = "SEALED"
    digest: Sha256
    size_bytes: int
    registered_ms: TimeMs
    registered_by: str


class Head(Record):
    """`plan-data/{p}/head`: the end of the plan's log; every write inside the plan changes it."""

    KIND: ClassVar[str] = "head"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    seq: Decimal
    hash: Sha256
    time_ms: TimeMs


class Contributor(Record):
    """One RR-plan of a promotion, and what became of it."""

    KIND: ClassVar[str] = "contributor"

    rr_plan: str
    branch: str
    n: Decimal
    digest: Sha256
    state: StoredState


class Version(Record):
    """`plan-data/{p}/versions/{n}` and, for the newest, `plan-data/{p}/canonical`: the same bytes.

    `clock` is the clock of `canonical` after the event `seq` that published it. `origins` names the
    report of what came from where in a merged one (`bps.plans.origins`), which is kept as long.
    """

    KIND: ClassVar[str] = "version"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    plan: str
    version: Decimal
    how: Literal["registration", "promotion", "revert"]
    digest: Sha256
    size_bytes: int
    seq: Decimal
    clock: ClockMap
    contributors: list[Contributor] = Field(default_factory=list)
    reverted_to: Decimal | None = None
    reason: str = ""
    published_ms: TimeMs
    published_by: str
    origins: Annotated[Sha256 | None, Since(2)] = None

    @property
    def etag(self) -> str:
        """The entity tag of canonical, without its quotes (design, "Edges")."""
        return f"{self.version}-{self.digest}"


class Branch(Record):
    """`plan-data/{p}/branches/{branch}`: one root cause. `n` is its newest RR-plan.

    `since` is the RR-plan that a regression opened and that rebases have carried on up to `n`.
    `short` is the branch's form in RR-plan ids: 8 digits, more where those were taken (R2).
    `linked` holds the first trace ids linked later, `linked_total` counts them all.
    `late_counter` is the branch's counter after its last event outside of an open RR-plan, or 0.
    """

    KIND: ClassVar[str] = "branch"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    branch: str
    short: str
    fingerprint: str
    trace_id: str
    n: Decimal
    since: Decimal
    parent_rr: str | None
    linked: list[str]
    linked_total: Decimal
    late_counter: Decimal

    def rr_plan_id(self, plan: str, n: int | None = None) -> str:
        """The id of RR-plan `n` (the newest by default) as people see it."""
        return str(RRPlanId(plan, self.short, self.n if n is None else n))


class RRPlan(Record):
    """`plan-data/{p}/rr/{branch}/{n}`: one attempt to remedy a root cause (R2, R5).

    `base_*` name the canonical version that was forked; `digest` what was submitted. `clock` is
    the RR-plan's own after its last event (on PROMOTED that of the promotion), `vc_parent` the
    plan's (canonical's) clock when it was opened. `submitted_by` is known since schema 2.
    """

    KIND: ClassVar[str] = "rr_plan"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    rr_plan: str
    plan_type: Literal["REMEDIATION"] = "REMEDIATION"
    subtype: Literal["REGRESSION_REMEDIATION"] = "REGRESSION_REMEDIATION"
    plan: str
    branch: str
    n: Decimal
    state: StoredState
    opened_by: Literal["regression", "rebase"]
    parent_rr: str | None
    summary: str
    base_version: Decimal
    base_digest: Sha256
    digest: Sha256 | None
    size_bytes: int | None
    clock: ClockMap
    vc_parent: ClockMap
    opened_ms: TimeMs
    closed_ms: TimeMs | None
    reason: str
    submitted_by: Annotated[str | None, Since(2)] = None
