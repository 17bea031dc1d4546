"""What commands on plans and branches answer; kept in the op record for repeated requests."""

from __future__ import annotations

from typing import ClassVar, Literal

from bps.core.codec import Decimal, Record, Sha256
from bps.plans.model import StoredState


class Receipt(Record):
    """Proof of one event: `bps verify --receipt` checks that the log still holds it (R6)."""

    KIND: ClassVar[str] = "receipt"

    plan: str
    seq: Decimal
    hash: Sha256


class PlanResult(Record):
    """A plan was registered."""

    KIND: ClassVar[str] = "plan_result"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    plan: str
    initiative: str
    version: Decimal
    digest: Sha256
    receipt: Receipt | None


class Nullified(Record):
    """One RR-plan that the act made obsolete."""

    KIND: ClassVar[str] = "nullified"

    rr_plan: str
    status: StoredState


class BranchResult(Record):
    """What an act on a branch did. `receipt` is None where nothing was written."""

    KIND: ClassVar[str] = "branch_result"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    act: Literal["opened", "joined", "linked_late", "submitted", "failed", "rebased", "unchanged"]
    plan: str
    rr_plan: str
    branch: str
    n: Decimal
    state: StoredState
    base_version: Decimal
    digest: Sha256 | None
    nullified: list[Nullified]
    receipt: Receipt | None
