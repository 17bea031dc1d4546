"""Review records: what of a promotion waits for a person (design, "Reviews"; ADR 0027).

A plan has at most one open review. The record is small: it names contributors, conflicts by id and
the resolutions so far; the values at stake are recomputed from the blobs, which exist as long as
the RR-plans do. Claims are instants, not leases, so that replay sees them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from bps.core.codec import Decimal, Record, Sha256, TimeMs

MAX_LISTED_BYTES = 32_768
"""Conflicts, and findings, that a record lists; the rest is counted and recomputed."""
MAX_RESOLUTION_BYTES = 65_536
"""All resolutions of one review together, as UTF-8; they go into its record and its events."""
MAX_CLAIM_MS = 15 * 60_000
"""A claim ends by itself; the first one of a review holds the plan's promotions until then."""


class ReviewStatus(StrEnum):
    """OPEN, or how it ended; a review is claimed while its claim's instant has not come."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    SUPERSEDED = "SUPERSEDED"


class ReviewedBranch(Record):
    """An RR-plan that waits in a review, with what it forked and who submitted it."""

    KIND: ClassVar[str] = "reviewed_branch"

    rr_plan: str
    branch: str
    n: Decimal
    digest: Sha256
    base_digest: Sha256
    by: str | None


class ReviewConflict(Record):
    """A conflict by its id, which covers place and all values; `kind` is the merge's.

    It is stored as `why`: records and hashed events have that name.
    """

    KIND: ClassVar[str] = "review_conflict"

    id: str
    path: str
    kind: Annotated[
        str,
        Field(
            serialization_alias="why",
            validation_alias=AliasChoices("why", "kind"),
            examples=["both_modified"],
        ),
    ]


class ReviewFinding(Record):
    """Why a person has to look, where it is no conflict. `source` is a validator or a check."""

    KIND: ClassVar[str] = "review_finding"

    source: str
    severity: str
    path: str
    line: int | None
    code: str
    message: str
    hint: str


class ReviewResolution(Record):
    """A reviewer's decision on one conflict: `take` a side (or `base`), or a `text` as YAML."""

    KIND: ClassVar[str] = "review_resolution"

    conflict: str
    path: str
    take: str | None
    text: str | None
    by: str
    at_ms: TimeMs

    @property
    def size_bytes(self) -> int:
        """What it adds to the record, about."""
        return sum(len(each.encode()) for each in (self.conflict, self.path, self.take or "")) + (
            len(self.text.encode()) if self.text is not None else 0
        )


class ReviewClaim(Record):
    """Somebody works on it until `until_ms`. `holds`: promotions by others wait until then."""

    KIND: ClassVar[str] = "review_claim"

    by: str
    since_ms: TimeMs
    until_ms: TimeMs
    holds: bool


class Review(Record):
    """`plan-data/{p}/reviews/{n}` and, for the newest, `plan-data/{p}/review`: the same bytes.

    `canonical_*` is the version that `conflicts` and `findings` were computed against; they are
    listed up to 32 KiB and counted in the totals. `held`: a claim has held promotions already.
    """

    KIND: ClassVar[str] = "review"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    review: str
    plan: str
    n: Decimal
    status: Annotated[ReviewStatus, Field(strict=False)]
    canonical_version: Decimal
    canonical_digest: Sha256
    contributors: list[ReviewedBranch]
    conflicts: list[ReviewConflict]
    conflicts_total: int
    findings: list[ReviewFinding]
    findings_total: int
    resolutions: list[ReviewResolution]
    claim: ReviewClaim | None
    held: bool
    opened_ms: TimeMs
    opened_by: str
    seq: Decimal
    """The event that changed it last; part of its entity tag."""
    acts: Decimal
    """Events of all reviews of the plan so far: the counter of the actor `review`."""
    closed_ms: TimeMs | None
    reason: str

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a person."""
        return self.status is ReviewStatus.OPEN

    @property
    def etag(self) -> str:
        """The entity tag, without its quotes."""
        return f"{self.n}-{self.seq}"

    def claimed_by(self, now_ms: int) -> str | None:
        """Who works on it at `now_ms`."""
        claim = self.claim
        return claim.by if claim is not None and now_ms < claim.until_ms else None
