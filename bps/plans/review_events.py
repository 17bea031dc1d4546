"""The events of reviews. They change no blueprint: only the actor `review` ticks (ADR 0027)."""

from __future__ import annotations

from typing import ClassVar

from bps.core.codec import Decimal, Record, Sha256, TimeMs
from bps.plans.reviews import (
    ReviewConflict,
    ReviewedBranch,
    ReviewFinding,
    ReviewResolution,
)


class ReviewOpened(Record):
    """A promotion needs a person. An open review is computed anew by the same event.

    `n` is the next number then, or that of the open review; `carried` are the conflicts whose
    resolutions are kept: they hold, or may hold again. All others of before are dropped, each told
    by a finding `dropped`.
    """

    KIND: ClassVar[str] = "review_opened"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "REVIEW_OPENED"

    n: Decimal
    canonical_version: Decimal
    canonical_digest: Sha256
    contributors: list[ReviewedBranch]
    conflicts: list[ReviewConflict]
    conflicts_total: int
    findings: list[ReviewFinding]
    findings_total: int
    carried: list[str]


class ReviewClaimed(Record):
    """A reviewer works on it until `until_ms`; the instant of the event: the claim is released."""

    KIND: ClassVar[str] = "review_claimed"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "REVIEW_CLAIMED"

    n: Decimal
    until_ms: TimeMs
    holds: bool


class ReviewResolved(Record):
    """A reviewer decided conflicts; a decision on the same conflict before is replaced."""

    KIND: ClassVar[str] = "review_resolved"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "REVIEW_RESOLVED"

    n: Decimal
    resolutions: list[ReviewResolution]


class ReviewCompleted(Record):
    """All that waited in it was published as `version`, in the same transaction.

    Where the decisions keep canonical as it is, `version` is the one that was canonical before.
    """

    KIND: ClassVar[str] = "review_completed"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "REVIEW_COMPLETED"

    n: Decimal
    version: Decimal


class ReviewRejected(Record):
    """A reviewer refused RR-plans for good; the review ends where nothing is left in it."""

    KIND: ClassVar[str] = "review_rejected"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "REVIEW_REJECTED"

    n: Decimal
    rejected: list[str]
    reason: str


class ReviewSuperseded(Record):
    """Nothing that waited in it waits any more, without its having been completed."""

    KIND: ClassVar[str] = "review_superseded"
    CARRIES_UNKNOWN: ClassVar[bool] = True
    TYPE: ClassVar[str] = "REVIEW_SUPERSEDED"

    n: Decimal
    reason: str


ReviewBody = (
    ReviewOpened
    | ReviewClaimed
    | ReviewResolved
    | ReviewCompleted
    | ReviewRejected
    | ReviewSuperseded
)

REVIEW_BODIES: tuple[type[ReviewBody], ...] = (
    ReviewOpened,
    ReviewClaimed,
    ReviewResolved,
    ReviewCompleted,
    ReviewRejected,
    ReviewSuperseded,
)
