"""Promoting successful RR-plans into the canonical version (R6, R7; design, "Promotion").

Several are merged, each against the version that it forked, into what is canonical now: who comes
later is merged against the moved canonical, and first-writer-wins never happens (ADR 0026).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import WrongState
from bps.core.ids import BranchRef
from bps.core.ports import Prefix, Read
from bps.plans.book import PlanBook
from bps.plans.branches.outcome import how_to_go_on
from bps.plans.limits import limit_exceeded
from bps.plans.model import RRPlan, State
from bps.plans.reference import find_branch, reads_of
from bps.plans.register import plan_reads
from bps.plans.reviews import Review
from bps.policy.model import MAX_CONTRIBUTORS
from bps.promotion.governance import compare_governance
from bps.promotion.outcome import promotion_of
from bps.promotion.results import PromotionResult
from bps.review.upkeep import check_not_held, in_order
from bps.writepath.command import Decision, OperationId, operation
from bps.writepath.precondition import IfMatch, check_if_match, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class Promote:
    """Command: promote the RR-plans that `refs` name, or all successful ones where it is empty.

    `if_match` names the canonical versions (as `Version.etag`) that it may replace.

    Without `refs` those that conflict wait in the plan's review, and the others are published;
    with `refs` all of them are, or none.

    Cost for one contributor, where the policy allows no validators: one etcd transaction with 7
    compares and 7 puts; on a cold plan one snapshot before it. The blueprint is not sent again: the
    RR-plan names its blob, and the transaction compares that it exists (ADR 0006). So it is with
    several where law 1 tells the result. With validators one read of 2 blobs and their run come on
    top. A real merge costs one read per 16 blobs and what `CandidateWork` says, and two puts
    more, the merged blueprint and the report of what came from where. The same again costs the
    transaction alone.
    """

    principal: str
    op_id: str
    plan: str
    refs: tuple[BranchRef, ...] = ()
    reason: str = ""
    if_match: IfMatch | None = None

    result_type = PromotionResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "plan": self.plan,
            "refs": [[ref.prefix, ref.n] for ref in self.refs],
            "reason": self.reason,
            **operation_fields(self.if_match),
        }
        return operation(self.principal, self.op_id, "promote", fields)

    def reads(self) -> Sequence[Read]:
        """The plan, the branches named (else all), and their newest RR-plans."""
        reads = plan_reads(self.plan)
        for ref in self.refs[:MAX_CONTRIBUTORS]:
            reads += reads_of(self.plan, ref)
        some = 0 < len(self.refs) <= MAX_CONTRIBUTORS
        return reads if some else [*reads, Prefix(keys.PlanKeys(self.plan).branches)]

    def decide(self, view: View, now_ms: int) -> Decision[PromotionResult]:
        """Commit; or Reject with PreconditionFailed, WrongState, ReviewHeld, MergeConflict, ...

        PluginError where a validator did not complete; it is no answer to be recorded.

        A conflict that is new is a Commit too: of the review, whose answer is MergeConflict.
        """
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        check_if_match(self.if_match, book.state.need_canonical().etag, f"{self.plan}'s canonical")
        review = book.open_review()
        check_not_held(book, review, self.principal)
        contributors = self._contributors(book, review)
        compare_governance(book)
        return promotion_of(book, contributors, self.reason, partial=not self.refs)

    def _contributors(self, book: PlanBook, review: Review | None) -> list[RRPlan]:
        """The RR-plans to promote, in the total order. Raises NotRead."""
        if self.refs:
            found = [(find_branch(book, ref), ref.n) for ref in self.refs]
            named = [(branch, book.number(branch, n)) for branch, n in found]
            book.rr_plans([(branch.branch, n) for branch, n in named])
            chosen = {(branch.branch, n): book.live_rr_plan(branch, n) for branch, n in named}
        else:
            live = book.live(book.branches())
            chosen = {(e.branch, e.n): e for e in live if e.state is State.SUCCEEDED}
        for rr_plan in chosen.values():
            if rr_plan.state is not State.SUCCEEDED:
                msg = f"Cannot promote {rr_plan.rr_plan}: it is {rr_plan.state.value}."
                raise WrongState(msg, rr_plan=rr_plan.rr_plan, state=rr_plan.state.value).advising(
                    how_to_go_on(rr_plan)
                )
        if not chosen:
            msg = f"No RR-plan of {self.plan} has succeeded and waits for promotion."
            raise WrongState(msg, plan=self.plan).advising(
                f"Look at its branches (`bps branch list {self.plan}`); submit a fix first "
                "(`bps branch submit`), or open a branch (`bps branch open`)."
            )
        allowed = book.policy.max_contributors
        if len(chosen) > allowed and self.refs:
            raise limit_exceeded("max_contributors", len(chosen), allowed)
        # Who waits for a person comes last, or many such would keep all others from their turn.
        inside = {each.rr_plan for each in review.contributors} if review is not None else set()
        ordered = sorted(in_order(list(chosen.values())), key=lambda each: each.rr_plan in inside)
        return in_order(ordered[:allowed])
