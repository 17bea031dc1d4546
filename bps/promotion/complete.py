"""Completing a review: the promotion of what waits in it, with the decisions that were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core.ids import ReviewId
from bps.core.ports import Read
from bps.plans.book import PlanBook
from bps.plans.register import plan_reads
from bps.promotion.governance import compare_governance
from bps.promotion.outcome import promotion_of
from bps.promotion.results import PromotionResult
from bps.review.acts import need_open, nothing_waits
from bps.review.upkeep import in_order, waiting_in
from bps.writepath.command import Decision, OperationId, operation
from bps.writepath.precondition import IfMatch, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class CompleteReview:
    """Command: publish all that waits in the review, as decided there, in one transaction.

    Where canonical moved meanwhile, decisions on conflicts that are still the same hold. No second
    opinion is asked for: a person has looked. Validators are, and can refuse.
    Cost: as `Promote` with a real merge, and 4 puts more.
    """

    principal: str
    op_id: str
    review: ReviewId
    reason: str = ""
    if_match: IfMatch | None = None

    result_type = PromotionResult

    @property
    def plan(self) -> str:
        """The review's."""
        return self.review.plan

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "review": str(self.review),
            "reason": self.reason,
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "complete_review", fields)

    def reads(self) -> Sequence[Read]:
        """The plan and its newest review."""
        return plan_reads(self.plan)

    def decide(self, view: View, now_ms: int) -> Decision[PromotionResult]:
        """Commit; or Reject with MergeConflict while something is undecided or objected.

        Raises:
            NotFound, WrongState, PreconditionFailed, ReviewHeld: as `need_open`.
        """
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        review = need_open(book, self.review, self.if_match, self.principal)
        waiting = in_order(waiting_in(book, review))
        if not waiting:
            raise nothing_waits(review)
        compare_governance(book)
        return promotion_of(book, waiting, self.reason, partial=False, looked_at=True)
