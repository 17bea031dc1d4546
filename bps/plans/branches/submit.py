"""Submitting the repaired blueprint of an open RR-plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core.ids import (
    BranchRef,
)
from bps.core.ports import Read
from bps.core.txn import Put
from bps.plans.blob import Blob
from bps.plans.book import PlanBook
from bps.plans.branches.outcome import branch_result, wrong_state
from bps.plans.events import BranchSucceeded
from bps.plans.limits import check_blueprint_size
from bps.plans.model import State
from bps.plans.reference import find_branch, reads_of
from bps.plans.register import plan_reads
from bps.plans.results import BranchResult
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class SubmitBranch:
    """Command: the fix of an open RR-plan succeeded; `blob` is its blueprint.

    Cost: 6 puts, the compressed blueprint among them.
    """

    principal: str
    op_id: str
    plan: str
    ref: BranchRef
    blob: Blob

    result_type = BranchResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "plan": self.plan,
            "ref": [self.ref.prefix, self.ref.n],
            "digest": self.blob.digest,
        }
        return operation(self.principal, self.op_id, "submit_branch", fields)

    def reads(self) -> Sequence[Read]:
        """The plan, the branch and its newest RR-plan."""
        return [*plan_reads(self.plan), *reads_of(self.plan, self.ref)]

    def decide(self, view: View, now_ms: int) -> Decision[BranchResult]:
        """Commit, Noop for the very same submission, or Reject."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        rr_plan = book.live_rr_plan(find_branch(book, self.ref), self.ref.n)
        if rr_plan.state is State.SUCCEEDED and rr_plan.digest == self.blob.digest:
            why = f"{rr_plan.rr_plan} has this submission already"
            return Noop(branch_result(rr_plan, "unchanged", None), why, book.as_read)
        if rr_plan.state is not State.OPEN:
            raise wrong_state(rr_plan, "submit to")
        if too_large := check_blueprint_size(book.policy, self.blob):
            raise too_large
        book.append(
            BranchSucceeded(
                digest=self.blob.digest, size_bytes=self.blob.size_bytes, by=self.principal
            ),
            branch=rr_plan.branch,
            rr=rr_plan.n,
        )
        book.put(Put(book.state.keys.blob(self.blob.digest), self.blob.frame))
        submitted = book.rr_plan(rr_plan.branch, rr_plan.n)
        return Commit(*book.parts(), branch_result(submitted, "submitted", book))
