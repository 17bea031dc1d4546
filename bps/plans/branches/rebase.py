"""Opening the next revision of a branch on the canonical version of today (R7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bps.core.ids import (
    BranchRef,
)
from bps.core.ports import Read
from bps.plans.book import PlanBook
from bps.plans.branches.outcome import branch_result, wrong_state
from bps.plans.branches.rr_plan import open_rr_plan
from bps.plans.events import BranchOpened
from bps.plans.model import State
from bps.plans.nullify import nullify
from bps.plans.reference import find_branch, reads_of
from bps.plans.register import plan_reads
from bps.plans.results import BranchResult
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class RebaseBranch:
    """Command: open the next revision of a branch on a fork of today's canonical version.

    The revision before is superseded in the same transaction: its VC_NULLIFY comes first.
    """

    principal: str
    op_id: str
    plan: str
    ref: BranchRef
    reason: str = field(default="its base is canonical no more")

    result_type = BranchResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        fields = {
            "plan": self.plan,
            "ref": [self.ref.prefix, self.ref.n],
            "reason": self.reason,
        }
        return operation(self.principal, self.op_id, "rebase_branch", fields)

    def reads(self) -> Sequence[Read]:
        """The plan, the branch and its newest RR-plan."""
        return [*plan_reads(self.plan), *reads_of(self.plan, self.ref)]

    def decide(self, view: View, now_ms: int) -> Decision[BranchResult]:
        """Commit, Noop where the base is canonical still, or Reject."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        branch = find_branch(book, self.ref)
        rr_plan = book.live_rr_plan(branch, self.ref.n)
        if not rr_plan.state.live:
            raise wrong_state(rr_plan, "rebase")
        if rr_plan.base_digest == book.state.need_canonical().digest:
            why = f"{rr_plan.rr_plan} is based on the canonical version already"
            return Noop(branch_result(rr_plan, "unchanged", None), why, book.as_read)
        closed = nullify(book, rr_plan, State.OBSOLETE_SUPERSEDED, self.reason)
        canonical = book.state.need_canonical()
        opened = open_rr_plan(
            book,
            branch=branch.branch,
            n=branch.n + 1,
            body=BranchOpened(
                short=branch.short,
                fingerprint=branch.fingerprint,
                opened_by="rebase",
                parent_rr=rr_plan.parent_rr,
                inherited_clock=book.rr_plan(rr_plan.branch, rr_plan.n).clock,
                summary=rr_plan.summary,
                base_version=canonical.version,
                base_digest=canonical.digest,
            ),
            trace_id=branch.trace_id,
        )
        return Commit(*book.parts(), branch_result(opened, "rebased", book, closed))
