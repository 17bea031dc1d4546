"""What promotions and reverts answer."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bps.core.codec import Decimal, Sha256, Since
from bps.core.errors import Rejected
from bps.plans.model import Contributor
from bps.plans.results import Nullified, Receipt
from bps.review.refusal import in_conflict, would_conflict
from bps.writepath.command import Refusable


class PromotionResult(Refusable):
    """The canonical version after the act. `unchanged`: the result equalled canonical.

    `review` names the review in which the RR-plans `in_review` wait for a person; `conflicts` is
    how many places that person has to decide, `findings` what was found. `how` is `review` where
    nothing was published.
    """

    KIND: ClassVar[str] = "promotion_result"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    plan: str
    how: Literal["promotion", "revert", "unchanged", "review"]
    version: Decimal
    digest: Sha256
    contributors: list[Contributor]
    nullified: list[Nullified]
    receipt: Receipt | None
    review: Annotated[str | None, Since(2)] = None
    in_review: Annotated[list[str], Since(2)] = Field(default_factory=list)
    conflicts: Annotated[int, Since(2)] = 0
    findings: Annotated[list[str], Since(2)] = Field(default_factory=list)

    def refusal(self, *, tried: bool = False) -> Rejected | None:
        """MergeConflict where nothing was published and a review was opened instead."""
        if self.how != "review":
            return None
        refuse = would_conflict if tried else in_conflict
        return refuse(self.review or "", self.in_review, self.conflicts, self.findings)
