"""Claiming a review: a record with an expiry, so that two reviewers do not undo each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core.errors import WrongState
from bps.core.ids import ReviewId
from bps.core.ports import Read
from bps.plans.book import PlanBook
from bps.plans.register import plan_reads
from bps.plans.review_events import ReviewClaimed
from bps.plans.reviews import MAX_CLAIM_MS
from bps.review.acts import need_open, result_of
from bps.review.results import ReviewResult
from bps.writepath.command import Commit, Decision, OperationId, operation
from bps.writepath.precondition import IfMatch, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class ClaimReview:
    """Command: `principal` works on the review for `for_ms`, at most 15 minutes.

    `hold`: promotions of the plan by others wait meanwhile; a review can hold them once.
    Cost: one transaction with 6 puts; one snapshot before it on a cold plan.
    """

    principal: str
    op_id: str
    review: ReviewId
    for_ms: int = MAX_CLAIM_MS
    hold: bool = False
    if_match: IfMatch | None = None

    result_type = ReviewResult

    @property
    def plan(self) -> str:
        """The review's."""
        return self.review.plan

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "review": str(self.review),
            "for_ms": self.for_ms,
            "hold": self.hold,
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "claim_review", fields)

    def reads(self) -> Sequence[Read]:
        """The plan and its newest review."""
        return plan_reads(self.plan)

    def decide(self, view: View, now_ms: int) -> Decision[ReviewResult]:
        """Commit; or Reject with NotFound, WrongState, PreconditionFailed, ReviewHeld.

        WrongState too for a hold where the review has held promotions before.
        """
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        review = need_open(book, self.review, self.if_match, self.principal)
        until_ms = book.now_ms + min(self.for_ms, MAX_CLAIM_MS)
        claim = review.claim
        holding = claim is not None and claim.holds and book.now_ms < claim.until_ms
        if self.hold and review.held and not holding:
            msg = f"{review.review} has held promotions up once; a review can do so once."
            raise WrongState(msg, review=review.review, state=review.status.value).advising(
                "Claim it without the hold; promotions of others then go on meanwhile."
            )
        if claim is not None and holding:
            # Claimed anew while it holds: the hold ends when it would have ended.
            until_ms = min(until_ms, claim.until_ms)
        book.append(ReviewClaimed(n=review.n, until_ms=until_ms, holds=self.hold))
        return Commit(*book.parts(), result_of(book, "claimed", None))
