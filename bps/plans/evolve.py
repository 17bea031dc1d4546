"""What each event does to the records of its plan: the one place that says so.

Decisions and `bps replay` both apply events through `PlanState.apply`; so a stored record is by
construction what its events say, and replay can prove it (R11).
"""

from __future__ import annotations

from bps.core import keys
from bps.core.codec import Record
from bps.core.errors import MalformedRecord
from bps.core.ids import CANONICAL_ACTOR, REVIEW_ACTOR
from bps.core.vector_clock import join, tick
from bps.plans.events import (
    BlueprintPromoted,
    Body,
    BranchOpened,
    BranchSucceeded,
    Envelope,
    PlanRegistered,
    TraceLinked,
    VcNullify,
)
from bps.plans.evolve_review import review_after
from bps.plans.model import Branch, Plan, RRPlan, State, Version
from bps.plans.review_events import ReviewBody
from bps.plans.reviews import Review


def actor_of(body: Body, branch: str | None) -> str:
    """Who counts an event: its branch, the reviews, or canonical."""
    if branch is not None:
        return branch
    return REVIEW_ACTOR if isinstance(body, ReviewBody) else CANONICAL_ACTOR


class PlanState:
    """The records of one plan that events act on. Loaded by its owner, changed by `apply` alone.

    `rr_plans` needs to hold only the RR-plans that events still act on. `changed` collects the
    records to write, by key.
    """

    def __init__(self, plan_id: str) -> None:
        self.keys = keys.PlanKeys(plan_id)
        self.plan: Plan | None = None
        self.canonical: Version | None = None
        self.review: Review | None = None
        self.branches: dict[str, Branch] = {}
        self.rr_plans: dict[tuple[str, int], RRPlan] = {}
        self.changed: dict[bytes, Record] = {}

    def need_canonical(self) -> Version:
        """The canonical version. Raises MalformedRecord where the plan has none."""
        if self.canonical is None:
            raise MalformedRecord(f"{self.keys.plan} has no canonical version.")
        return self.canonical

    def need_rr_plan(self, branch: str, n: int) -> RRPlan:
        """A loaded RR-plan. Raises MalformedRecord for one that does not exist."""
        rr_plan = self.rr_plans.get((branch, n))
        if rr_plan is None:
            raise MalformedRecord(f"{self.keys.plan} has no live RR-plan {branch}/{n}.")
        return rr_plan

    def clock_after(self, body: Body, branch: str | None, rr: int | None) -> dict[str, int]:
        """The actor's clock after `body` happened (design, "Vector clocks and events")."""
        if isinstance(body, PlanRegistered):
            return tick({}, CANONICAL_ACTOR)
        if isinstance(body, BlueprintPromoted):
            clock = self.need_canonical().clock
            for contributor in body.contributors:
                clock = join(clock, self.need_rr_plan(contributor.branch, contributor.n).clock)
            return tick(clock, CANONICAL_ACTOR)
        if isinstance(body, ReviewBody):
            acts = self.review.acts if self.review is not None else 0
            return {**self.need_canonical().clock, REVIEW_ACTOR: acts + 1}
        if branch is None:
            raise MalformedRecord(f"A {body.TYPE} names no branch.")
        if isinstance(body, BranchOpened):
            return tick(join(self.need_canonical().clock, body.inherited_clock), branch)
        if isinstance(body, TraceLinked) and body.last_counter is not None:
            return tick({branch: body.last_counter}, branch)
        if rr is None:
            raise MalformedRecord(f"A {body.TYPE} names no RR-plan.")
        return tick(self.need_rr_plan(branch, rr).clock, branch)

    def apply(self, event: Envelope, body: Body, clock: dict[str, int]) -> None:
        """Apply one event; `clock` is `clock_after` of it.

        Raises:
            MalformedRecord: the event does not fit the state.
        """
        match body:
            case PlanRegistered():
                self._registered(event, body, clock)
            case BlueprintPromoted():
                self._promoted(event, body, clock)
            case BranchOpened():
                self._opened(event, body, clock)
            case TraceLinked():
                self._linked(event, body, clock)
            case BranchSucceeded():
                submitted = {"digest": body.digest, "size_bytes": body.size_bytes}
                update = {"state": State.SUCCEEDED, **submitted, "submitted_by": body.by}
                self._change_rr_plan(event, clock, update)
            case VcNullify():
                update = {"state": body.status, "reason": body.reason}
                self._change_rr_plan(event, clock, {**update, "closed_ms": event.time_ms})
            case _:
                by = event.op.partition("/")[0]
                self._set_review(review_after(self.review, event.seq, event.time_ms, by, body))

    def _set_review(self, review: Review) -> None:
        self.review = review
        self.changed[self.keys.newest_review] = review
        self.changed[self.keys.review(review.n)] = review

    def _set_canonical(self, version: Version) -> None:
        self.canonical = version
        self.changed[self.keys.canonical] = version
        self.changed[self.keys.version(version.version)] = version

    def _set_branch(self, branch: Branch) -> None:
        self.branches[branch.branch] = branch
        self.changed[self.keys.branch(branch.branch)] = branch

    def _set_rr_plan(self, rr_plan: RRPlan) -> None:
        self.rr_plans[rr_plan.branch, rr_plan.n] = rr_plan
        self.changed[self.keys.rr_plan(rr_plan.branch, rr_plan.n)] = rr_plan

    def _registered(self, event: Envelope, body: PlanRegistered, clock: dict[str, int]) -> None:
        by = event.op.partition("/")[0]
        self.plan = Plan(
            plan=event.plan,
            initiative=body.initiative,
            title=body.title,
            digest=body.digest,
            size_bytes=body.size_bytes,
            registered_ms=event.time_ms,
            registered_by=by,
        )
        self.changed[self.keys.record] = self.plan
        self._set_canonical(
            Version(
                plan=event.plan,
                version=1,
                how="registration",
                digest=body.digest,
                size_bytes=body.size_bytes,
                seq=event.seq,
                clock=clock,
                published_ms=event.time_ms,
                published_by=by,
            )
        )

    def _promoted(self, event: Envelope, body: BlueprintPromoted, clock: dict[str, int]) -> None:
        self._set_canonical(
            Version(
                plan=event.plan,
                version=body.version,
                how=body.how,
                digest=body.digest,
                size_bytes=body.size_bytes,
                seq=event.seq,
                clock=clock,
                contributors=body.contributors,
                reverted_to=body.reverted_to,
                reason=body.reason,
                published_ms=event.time_ms,
                published_by=event.op.partition("/")[0],
                origins=body.merge.origins if body.merge is not None else None,
            )
        )
        for contributor in body.contributors:
            if contributor.state is State.PROMOTED:
                rr_plan = self.need_rr_plan(contributor.branch, contributor.n)
                update = {"state": State.PROMOTED, "clock": clock, "closed_ms": event.time_ms}
                self._set_rr_plan(rr_plan.model_copy(update=update))

    def _opened(self, event: Envelope, body: BranchOpened, clock: dict[str, int]) -> None:
        branch, n = self._place(event)
        known = self.branches.get(branch)
        if known is None:
            opened = Branch(
                branch=branch,
                short=body.short,
                fingerprint=body.fingerprint,
                trace_id=event.trace_id or "",
                n=n,
                since=n,
                parent_rr=body.parent_rr,
                linked=[],
                linked_total=0,
                late_counter=0,
            )
        else:
            since = known.since if body.opened_by == "rebase" else n
            update = {"n": n, "since": since, "parent_rr": body.parent_rr}
            opened = known.model_copy(update=update)
        self._set_branch(opened)
        self._set_rr_plan(
            RRPlan(
                rr_plan=opened.rr_plan_id(event.plan),
                plan=event.plan,
                branch=branch,
                n=n,
                state=State.OPEN,
                opened_by=body.opened_by,
                parent_rr=body.parent_rr,
                summary=body.summary,
                base_version=body.base_version,
                base_digest=body.base_digest,
                digest=None,
                size_bytes=None,
                clock=clock,
                vc_parent=self.need_canonical().clock,
                opened_ms=event.time_ms,
                closed_ms=None,
                reason="",
            )
        )

    def _linked(self, event: Envelope, body: TraceLinked, clock: dict[str, int]) -> None:
        known = self.branches.get(event.branch or "")
        if known is None:
            raise MalformedRecord(f"Event {event.seq} links a trace to no known branch.")
        linked = [*known.linked, event.trace_id or ""] if body.keep_name else known.linked
        update = {"linked": linked, "linked_total": known.linked_total + 1}
        if body.last_counter is None:
            self._change_rr_plan(event, clock, {})
        else:
            update["late_counter"] = clock[known.branch]
        self._set_branch(known.model_copy(update=update))

    def _change_rr_plan(
        self, event: Envelope, clock: dict[str, int], update: dict[str, object]
    ) -> None:
        rr_plan = self.need_rr_plan(*self._place(event))
        self._set_rr_plan(rr_plan.model_copy(update={**update, "clock": clock}))

    @staticmethod
    def _place(event: Envelope) -> tuple[str, int]:
        if event.branch is None or event.rr is None:
            raise MalformedRecord(f"Event {event.seq} ({event.type}) names no RR-plan.")
        return event.branch, event.rr
