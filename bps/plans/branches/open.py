"""Opening a branch for a root cause, or joining the one that is open for it (R2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.ids import (
    CANONICAL_ACTOR,
    SHORT_BRANCH_LENGTH,
    BranchRef,
    branch_id_of,
)
from bps.core.ports import Prefix, Read
from bps.core.vector_clock import join
from bps.plans.book import PlanBook
from bps.plans.branches.outcome import branch_result, wrong_state
from bps.plans.branches.rr_plan import open_rr_plan
from bps.plans.events import BranchOpened, TraceLinked
from bps.plans.limits import limit_exceeded
from bps.plans.model import Branch, RRPlan, State
from bps.plans.nullify import is_inside, live_descendants
from bps.plans.reference import find_branch
from bps.plans.register import plan_reads
from bps.plans.results import BranchResult
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View

_MAX_EXACT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class OpenBranch:
    """Command: a root cause was found in `plan` (R2).

    A known root cause joins its open RR-plan. After that closed, a reporter whose `clock` lacks
    the closing event is a late duplicate and is linked; any other opens the next RR-plan.
    `clock` is the reporter's vector clock, or None where it has seen the newest state.
    Cost: 6-7 puts; reads the branch records of this plan.
    """

    principal: str
    op_id: str
    plan: str
    trace_id: str
    fingerprint: str
    summary: str = ""
    parent_rr: BranchRef | None = None
    clock: dict[str, int] | None = None

    result_type = BranchResult

    @property
    def operation(self) -> OperationId:
        """Its idempotency key and digest."""
        parent = self.parent_rr
        fields = {
            "plan": self.plan,
            "trace_id": self.trace_id,
            "fingerprint": self.fingerprint,
            "summary": self.summary,
            "parent_rr": None if parent is None else [parent.prefix, parent.n],
            "clock": None if self.clock is None else _as_json(self.clock),
        }
        return operation(self.principal, self.op_id, "open_branch", fields)

    def reads(self) -> Sequence[Read]:
        """The plan and its branches."""
        return [*plan_reads(self.plan), Prefix(keys.PlanKeys(self.plan).branches)]

    def decide(self, view: View, now_ms: int) -> Decision[BranchResult]:
        """Commit, Noop (the same trace reports the same cause again), or Reject."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        known = next((b for b in book.branches() if b.fingerprint == self.fingerprint), None)
        return self._open_first(book) if known is None else self._report_again(book, known)

    def _open_first(self, book: PlanBook) -> Decision[BranchResult]:
        branches = book.branches()
        if len(branches) >= book.policy.max_branches:
            limit = book.policy.max_branches
            raise limit_exceeded("max_branches", len(branches) + 1, limit)
        used = any(self.trace_id in (b.trace_id, *b.linked) for b in branches)
        branch = branch_id_of(self.trace_id, self.fingerprint if used else None)
        length = SHORT_BRANCH_LENGTH
        while any(other.branch.startswith(branch[:length]) for other in branches):
            length += 1
        return self._open(book, branch, 1, branch[:length], {})

    def _report_again(self, book: PlanBook, branch: Branch) -> Decision[BranchResult]:
        newest = book.rr_plan(branch.branch, branch.n)
        known_trace = self.trace_id in (branch.trace_id, *branch.linked)
        if newest.state.live:
            if known_trace:
                return Noop(
                    branch_result(newest, "unchanged", None),
                    f"{newest.rr_plan} is open for this cause",
                    book.as_read,
                )
            return self._link(book, branch, newest, late=False)
        actor = CANONICAL_ACTOR if newest.state is State.PROMOTED else branch.branch
        if self.clock is not None and self.clock.get(actor, 0) < newest.clock[actor]:
            if known_trace:
                return Noop(
                    branch_result(newest, "unchanged", None),
                    f"a late duplicate of {newest.rr_plan}",
                    book.as_read,
                )
            return self._link(book, branch, newest, late=True)
        known = join(newest.clock, {branch.branch: book.branch_counter(branch)})
        return self._open(book, branch.branch, branch.n + 1, branch.short, known)

    def _link(
        self, book: PlanBook, branch: Branch, newest: RRPlan, *, late: bool
    ) -> Decision[BranchResult]:
        book.append(
            TraceLinked(
                last_counter=book.branch_counter(branch) if late else None,
                keep_name=len(branch.linked) < book.policy.max_linked_traces,
            ),
            branch=branch.branch,
            rr=None if late else newest.n,
            trace_id=self.trace_id,
        )
        result = branch_result(newest, "linked_late" if late else "joined", book)
        return Commit(*book.parts(), result)

    def _open(
        self, book: PlanBook, branch: str, n: int, short: str, inherited: dict[str, int]
    ) -> Decision[BranchResult]:
        parent_id = None
        if self.parent_rr is not None:
            around = find_branch(book, self.parent_rr)
            parent = book.live_rr_plan(around, self.parent_rr.n)
            if not parent.state.live:
                raise wrong_state(parent, "open a regression inside of")
            below = len(live_descendants(book, _root(book, around))) + 1
            if below > book.policy.max_live_descendants:
                allowed = book.policy.max_live_descendants
                raise limit_exceeded("max_live_descendants", below, allowed)
            inherited = join(inherited, parent.clock)
            parent_id = parent.rr_plan
        opened = open_rr_plan(
            book,
            branch=branch,
            n=n,
            body=_opening(book, self, short, inherited, parent_id),
            trace_id=self.trace_id,
        )
        return Commit(*book.parts(), branch_result(opened, "opened", book))


def _as_json(clock: dict[str, int]) -> dict[str, int | str]:
    """Counters as JSON numbers where those are exact, else as text (RFC 8785)."""
    return {actor: count if count <= _MAX_EXACT else str(count) for actor, count in clock.items()}


def _opening(
    book: PlanBook, report: OpenBranch, short: str, inherited: dict[str, int], parent: str | None
) -> BranchOpened:
    canonical = book.state.need_canonical()
    return BranchOpened(
        short=short,
        fingerprint=report.fingerprint,
        opened_by="regression",
        parent_rr=parent,
        inherited_clock=inherited,
        summary=report.summary,
        base_version=canonical.version,
        base_digest=canonical.digest,
    )


def _root(book: PlanBook, branch: Branch) -> Branch:
    """The outermost branch around `branch` whose work still goes on."""
    seen = {branch.branch}
    while parent := next((b for b in book.branches() if is_inside(branch, b)), None):
        if parent.branch in seen:
            break
        seen.add(parent.branch)
        branch = parent
    return branch
