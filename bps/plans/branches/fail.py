"""Giving an RR-plan up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.ids import (
    BranchRef,
)
from bps.core.ports import Prefix, Read
from bps.core.text import needed_text
from bps.plans.book import PlanBook
from bps.plans.branches.outcome import branch_result, wrong_state
from bps.plans.model import State
from bps.plans.nullify import nullify
from bps.plans.reference import find_branch, reads_of
from bps.plans.register import plan_reads
from bps.plans.results import BranchResult
from bps.writepath.command import Commit, Decision, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class FailBranch:
    """Command: give an RR-plan up; it enters OBSOLETE_FAILED, its live descendants follow.

    Cost: 3 puts an RR-plan closed, and 2; reads the branch records of this plan.
    """

    principal: str
    op_id: str
    plan: str
    ref: BranchRef
    reason: str

    result_type = BranchResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "plan": self.plan,
            "ref": [self.ref.prefix, self.ref.n],
            "reason": self.reason,
        }
        return operation(self.principal, self.op_id, "fail_branch", fields)

    def reads(self) -> Sequence[Read]:
        """The plan, its branches, and the newest RR-plan of this one."""
        branches = Prefix(keys.PlanKeys(self.plan).branches)
        return [*plan_reads(self.plan), branches, reads_of(self.plan, self.ref)[1]]

    def decide(self, view: View, now_ms: int) -> Decision[BranchResult]:
        """Commit or Reject. Raises InvalidInput for a reason that says nothing."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        needed_text(self.reason, "reason")
        rr_plan = book.live_rr_plan(find_branch(book, self.ref), self.ref.n)
        if not rr_plan.state.live:
            raise wrong_state(rr_plan, "fail")
        closed = nullify(book, rr_plan, State.OBSOLETE_FAILED, self.reason)
        failed = book.rr_plan(rr_plan.branch, rr_plan.n)
        return Commit(*book.parts(), branch_result(failed, "failed", book, closed))
