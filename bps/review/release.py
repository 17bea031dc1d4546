"""Releasing a review: its claim ends before its time, and with it the hold on promotions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core.ids import ReviewId
from bps.core.ports import Read
from bps.plans.book import PlanBook
from bps.plans.register import plan_reads
from bps.plans.review_events import ReviewClaimed
from bps.review.acts import need_open, result_of
from bps.review.results import ReviewResult
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.precondition import IfMatch, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class ReleaseReview:
    """Command: the claim of the review ends now; `of_others`: also where another holds it.

    Who may end another's claim is the edge's to say, by roles; so it is no part of the request.
    Cost: one transaction with 6 puts; one snapshot before it on a cold plan.
    """

    principal: str
    op_id: str
    review: ReviewId
    of_others: bool = False
    if_match: IfMatch | None = None

    result_type = ReviewResult

    @property
    def plan(self) -> str:
        """The review's."""
        return self.review.plan

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {"review": str(self.review), **operation_fields(self.if_match)}
        return operation(self.principal, self.op_id, "release_review", fields)

    def reads(self) -> Sequence[Read]:
        """The plan and its newest review."""
        return plan_reads(self.plan)

    def decide(self, view: View, now_ms: int) -> Decision[ReviewResult]:
        """Commit; Noop where nobody has claimed it; or Reject.

        Raises:
            ReviewHeld: another has claimed it, and `of_others` does not say that this is all right.
            NotFound, WrongState, PreconditionFailed: as `need_open`.
        """
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        review = need_open(
            book, self.review, self.if_match, self.principal, despite_claim=self.of_others
        )
        if review.claimed_by(book.now_ms) is None:
            unchanged = result_of(book, "released", None).model_copy(update={"receipt": None})
            return Noop(unchanged, f"nobody has claimed {self.review}", book.as_read)
        book.append(ReviewClaimed(n=review.n, until_ms=book.now_ms, holds=False))
        return Commit(*book.parts(), result_of(book, "released", None))
