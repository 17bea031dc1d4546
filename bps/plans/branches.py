"""Commands on branches: open, submit, fail, rebase (design, "Branches and RR-plans")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bps.core import keys
from bps.core.errors import WrongState
from bps.core.ids import (
    CANONICAL_ACTOR,
    SHORT_BRANCH_LENGTH,
    BranchRef,
    branch_id_of,
)
from bps.core.ports import Prefix, Read
from bps.core.txn import Put
from bps.core.vector_clock import join
from bps.plans.blob import Blob
from bps.plans.book import PlanBook
from bps.plans.events import BranchOpened, BranchSucceeded, TraceLinked
from bps.plans.limits import check_blueprint_size, limit_exceeded
from bps.plans.model import Branch, RRPlan, State
from bps.plans.nullify import live_descendants, nullify
from bps.plans.reference import find_branch, reads_of
from bps.plans.register import plan_reads, receipt
from bps.plans.results import BranchResult, Nullified
from bps.writepath.command import Commit, Decision, Noop, OperationId, operation
from bps.writepath.view import View


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
            "clock": self.clock,
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
                    _result(newest, "unchanged", None), f"{newest.rr_plan} is open for this cause"
                )
            return self._link(book, branch, newest, late=False)
        actor = CANONICAL_ACTOR if newest.state is State.PROMOTED else branch.branch
        if self.clock is not None and self.clock.get(actor, 0) < newest.clock[actor]:
            if known_trace:
                return Noop(
                    _result(newest, "unchanged", None), f"a late duplicate of {newest.rr_plan}"
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
        result = _result(newest, "linked_late" if late else "joined", book)
        return Commit(*book.parts(), result)

    def _open(
        self, book: PlanBook, branch: str, n: int, short: str, inherited: dict[str, int]
    ) -> Decision[BranchResult]:
        parent_id = None
        if self.parent_rr is not None:
            parent = book.live_rr_plan(find_branch(book, self.parent_rr), self.parent_rr.n)
            if not parent.state.live:
                raise _wrong_state(parent, "open a regression inside of")
            root = _root(book, parent.rr_plan)
            below = len(live_descendants(book, root)) + 1
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
        return Commit(*book.parts(), _result(opened, "opened", book))


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
            return Noop(_result(rr_plan, "unchanged", None), why)
        if rr_plan.state is not State.OPEN:
            raise _wrong_state(rr_plan, "submit to")
        if too_large := check_blueprint_size(book.policy, self.blob):
            raise too_large
        book.append(
            BranchSucceeded(digest=self.blob.digest, size_bytes=self.blob.size_bytes),
            branch=rr_plan.branch,
            rr=rr_plan.n,
        )
        book.put(Put(book.state.keys.blob(self.blob.digest), self.blob.frame))
        submitted = book.rr_plan(rr_plan.branch, rr_plan.n)
        return Commit(*book.parts(), _result(submitted, "submitted", book))


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
        """Commit or Reject."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        rr_plan = book.live_rr_plan(find_branch(book, self.ref), self.ref.n)
        if not rr_plan.state.live:
            raise _wrong_state(rr_plan, "fail")
        closed = nullify(book, rr_plan, State.OBSOLETE_FAILED, self.reason)
        failed = book.rr_plan(rr_plan.branch, rr_plan.n)
        return Commit(*book.parts(), _result(failed, "failed", book, closed))


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
            raise _wrong_state(rr_plan, "rebase")
        if rr_plan.base_digest == book.state.need_canonical().digest:
            why = f"{rr_plan.rr_plan} is based on the canonical version already"
            return Noop(_result(rr_plan, "unchanged", None), why)
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
        return Commit(*book.parts(), _result(opened, "rebased", book, closed))


def open_rr_plan(
    book: PlanBook, *, branch: str, n: int, body: BranchOpened, trace_id: str
) -> RRPlan:
    """Append the opening of RR-plan `n`; the RR-plan as it is then."""
    book.append(body, branch=branch, rr=n, trace_id=trace_id)
    return book.rr_plan(branch, n)


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


def _root(book: PlanBook, rr_plan_id: str) -> str:
    """The outermost RR-plan around `rr_plan_id`."""
    plan = book.need_plan().plan
    parents = {b.rr_plan_id(plan): b.parent_rr for b in book.branches()}
    seen = {rr_plan_id}
    while (parent := parents.get(rr_plan_id)) is not None and parent not in seen:
        seen.add(parent)
        rr_plan_id = parent
    return rr_plan_id


def _wrong_state(rr_plan: RRPlan, act: str) -> WrongState:
    msg = f"Cannot {act} {rr_plan.rr_plan}: it is {rr_plan.state.value}."
    return WrongState(msg, rr_plan=rr_plan.rr_plan, state=rr_plan.state.value)


def _result(
    rr_plan: RRPlan, act: str, book: PlanBook | None, closed: list[Nullified] | None = None
) -> BranchResult:
    return BranchResult.model_validate(
        {
            "act": act,
            "plan": rr_plan.plan,
            "rr_plan": rr_plan.rr_plan,
            "branch": rr_plan.branch,
            "n": rr_plan.n,
            "state": rr_plan.state,
            "base_version": rr_plan.base_version,
            "digest": rr_plan.digest,
            "nullified": closed or [],
            "receipt": receipt(book) if book else None,
        }
    )
