"""What acts on reviews answer."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bps.core.codec import Record
from bps.plans.results import Nullified, Receipt
from bps.plans.reviews import ReviewConflict, ReviewFinding, ReviewStatus


class ReviewResult(Record):
    """A review after an act on it, and what stands in the way of its completion still.

    `open` and `findings` are of the result as it would be now where something was resolved. A
    claim, a release and a rejection merge nothing: they answer as the review's record has them from
    when it was computed last. At most 32 KiB of each are listed.
    """

    KIND: ClassVar[str] = "review_result"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    act: Literal["claimed", "released", "resolved", "rejected"]
    plan: str
    review: str
    status: Annotated[ReviewStatus, Field(strict=False)]
    etag: str
    contributors: list[str]
    open: list[ReviewConflict]
    open_total: int
    findings: list[ReviewFinding]
    findings_total: int
    nullified: list[Nullified]
    receipt: Receipt | None
