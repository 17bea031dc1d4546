"""Rejecting RR-plans of a review: they enter OBSOLETE_REJECTED, for good (R11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.ids import BranchRef, ReviewId
from bps.core.ports import Prefix, Read
from bps.core.text import needed_text
from bps.plans.book import PlanBook
from bps.plans.model import RRPlan, State
from bps.plans.nullify import nullify
from bps.plans.register import plan_reads
from bps.plans.results import Nullified
from bps.plans.review_events import ReviewRejected, ReviewSuperseded
from bps.plans.reviews import Review
from bps.review.acts import need_open, result_of
from bps.review.results import ReviewResult
from bps.review.upkeep import waiting_in
from bps.writepath.command import Commit, Decision, OperationId, operation
from bps.writepath.precondition import IfMatch, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class RejectReview:
    """Command: the RR-plans `refs` of the review are refused for good; all of it where empty.

    Their live descendants are nullified with them. The review ends where nothing is left in it.
    Cost: one transaction with 6 puts, and 3 for each RR-plan that is closed.
    """

    principal: str
    op_id: str
    review: ReviewId
    reason: str
    refs: tuple[BranchRef, ...] = ()
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
            "reason": self.reason,
            "refs": [[ref.prefix, ref.n] for ref in self.refs],
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "reject_review", fields)

    def reads(self) -> Sequence[Read]:
        """The plan, its newest review, and all branches: descendants can be anywhere."""
        return [*plan_reads(self.plan), Prefix(keys.PlanKeys(self.plan).branches)]

    def decide(self, view: View, now_ms: int) -> Decision[ReviewResult]:
        """Commit; or Reject with NotFound, WrongState, PreconditionFailed, ReviewHeld.

        Raises InvalidInput for a reason that says nothing.
        """
        needed_text(self.reason, "reason")
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        review = need_open(book, self.review, self.if_match, self.principal)
        waiting = waiting_in(book, review)
        rejected = self._named(review, waiting) if self.refs else waiting
        nullified: list[Nullified] = []
        for each in rejected:
            # A parent's rejection may have closed it already.
            if book.rr_plan(each.branch, each.n).state is State.SUCCEEDED:
                nullified += nullify(book, each, State.OBSOLETE_REJECTED, self.reason)
        if rejected:
            names = [each.rr_plan for each in rejected]
            book.append(ReviewRejected(n=review.n, rejected=names, reason=self.reason))
        left = book.open_review()
        if left is not None and not waiting_in(book, left):
            book.append(ReviewSuperseded(n=left.n, reason="nothing of it waits any more"))
        return Commit(*book.parts(), result_of(book, "rejected", None, nullified))

    def _named(self, review: Review, waiting: Sequence[RRPlan]) -> list[RRPlan]:
        chosen: dict[str, RRPlan] = {}
        for ref in self.refs:
            found = [
                each
                for each in waiting
                if each.branch.startswith(ref.prefix) and ref.n in {None, each.n}
            ]
            if len(found) != 1:
                name = f"{ref.prefix}" if ref.n is None else f"{ref.prefix}, RR-plan {ref.n}"
                msg = f"{review.review} holds {len(found) or 'no'} waiting RR-plans of {name}."
                raise NotFound(msg, review=review.review, branch=ref.prefix).advising(
                    f"See who waits there: `bps review show {review.review}`."
                )
            chosen[found[0].rr_plan] = found[0]
        return list(chosen.values())
