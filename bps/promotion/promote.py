"""Promoting successful RR-plans into the canonical version (R6, R7; design, "Promotion").

Until the merge engine exists, only what three-way merging could not change is promoted: law 1,
merge(b, b, x) = x and merge(b, x, x) = x. Whatever would need a real merge is refused, and keeps
its state: first-writer-wins never happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import MergeConflict, StaleBase, WrongState
from bps.core.ids import BranchRef
from bps.core.ports import Prefix, Read
from bps.core.txn import Exists
from bps.core.vector_clock import order_key
from bps.plans.book import PlanBook
from bps.plans.branches.outcome import how_to_go_on
from bps.plans.events import BlueprintPromoted
from bps.plans.limits import limit_exceeded
from bps.plans.model import Contributor, RRPlan, State, Version
from bps.plans.nullify import nullify
from bps.plans.reference import find_branch, reads_of
from bps.plans.register import plan_reads, receipt
from bps.plans.results import Nullified
from bps.policy.model import MAX_CONTRIBUTORS
from bps.promotion.governance import compare_governance
from bps.promotion.results import PromotionResult
from bps.writepath.command import Commit, Decision, OperationId, operation
from bps.writepath.precondition import IfMatch, check_if_match, operation_fields
from bps.writepath.view import View


@dataclass(frozen=True, slots=True)
class Promote:
    """Command: promote the RR-plans that `refs` name, or all successful ones where it is empty.

    `if_match` names the canonical versions (as `Version.etag`) that it may replace.

    Cost for one contributor: one etcd transaction with 7 compares and 7 puts; on a cold plan one
    snapshot before it. The blueprint is not sent again: the RR-plan names its blob, and the
    transaction compares that it exists (ADR 0006).
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
        """Commit, or Reject with StaleBase, MergeConflict, PreconditionFailed, WrongState, ..."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        check_if_match(self.if_match, book.state.need_canonical().etag, f"{self.plan}'s canonical")
        contributors = self._contributors(book)
        digest = result_of(book.state.need_canonical(), contributors)
        compare_governance(book)
        promoted, nullified = publish(book, contributors, digest, self.reason)
        canonical = book.state.need_canonical()
        return Commit(
            *book.parts(),
            PromotionResult(
                plan=self.plan,
                how="promotion" if promoted else "unchanged",
                version=canonical.version,
                digest=canonical.digest,
                contributors=promoted,
                nullified=nullified,
                receipt=receipt(book),
            ),
        )

    def _contributors(self, book: PlanBook) -> list[RRPlan]:
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
        ordered = sorted(chosen.values(), key=lambda each: order_key(each.clock, each.branch))
        allowed = book.policy.max_contributors
        if len(ordered) > allowed and self.refs:
            raise limit_exceeded("max_contributors", len(ordered), allowed)
        return ordered[:allowed]


def result_of(canonical: Version, contributors: Sequence[RRPlan]) -> str:
    """The digest that a three-way merge of `contributors` into `canonical` must give.

    Raises:
        StaleBase: a contributor forked another version than the canonical one, and differs.
        MergeConflict: contributors changed the same version differently.
    """
    edits = [
        each for each in contributors if each.digest not in {canonical.digest, each.base_digest}
    ]
    for each in edits:
        if each.base_digest != canonical.digest:
            raise StaleBase(
                f"{each.rr_plan} is based on version {each.base_version}; "
                f"version {canonical.version} is canonical now.",
                rr_plan=each.rr_plan,
                base_version=str(each.base_version),
                canonical_version=str(canonical.version),
            )
    digests = sorted({each.digest or "" for each in edits})
    if len(digests) > 1:
        raise MergeConflict(
            f"{len(edits)} RR-plans changed version {canonical.version} in different ways; "
            "promote one, then rebase the others.",
            rr_plans=[each.rr_plan for each in edits],
        )
    return digests[0] if digests else canonical.digest


def publish(
    book: PlanBook, contributors: Sequence[RRPlan], digest: str, reason: str
) -> tuple[list[Contributor], list[Nullified]]:
    """Append the events of a promotion with the result `digest`; who was promoted and nullified.

    A contributor whose digest equals the new canonical's is PROMOTED, any other OBSOLETE_MERGED.
    A result equal to canonical makes no new version.
    """
    canonical = book.state.need_canonical()
    promoted: list[Contributor] = []
    if digest != canonical.digest:
        promoted = [
            Contributor(
                rr_plan=each.rr_plan,
                branch=each.branch,
                n=each.n,
                digest=each.digest or "",
                state=State.PROMOTED if each.digest == digest else State.OBSOLETE_MERGED,
            )
            for each in contributors
        ]
        size_bytes = next(e.size_bytes for e in contributors if e.digest == digest)
        book.compare(Exists(book.state.keys.blob(digest)))
        book.append(
            BlueprintPromoted(
                version=canonical.version + 1,
                how="promotion",
                base_version=canonical.version,
                digest=digest,
                size_bytes=size_bytes or 0,
                contributors=promoted,
                reverted_to=None,
                reason=reason,
            )
        )
    merged = [each for each in contributors if each.digest != digest or not promoted]
    nullified: list[Nullified] = []
    for each in merged:
        version = book.state.need_canonical().version
        why = f"merged into version {version}"
        nullified += nullify(book, each, State.OBSOLETE_MERGED, why)
    return promoted, nullified
