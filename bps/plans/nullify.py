"""Closing RR-plans: VC_NULLIFY on entering OBSOLETE_*, for descendants too (R6, R11)."""

from __future__ import annotations

from bps.plans.book import PlanBook
from bps.plans.events import VcNullify
from bps.plans.model import Branch, RRPlan, State
from bps.plans.results import Nullified

CASCADING = frozenset({State.OBSOLETE_FAILED, State.OBSOLETE_REJECTED, State.OBSOLETE_EXPIRED})
"""States of a parent that nullify its live descendants; a merged or superseded one does not."""


def nullify(book: PlanBook, rr_plan: RRPlan, status: State, reason: str) -> list[Nullified]:
    """Append VC_NULLIFY for `rr_plan` and, where `status` cascades, for its live descendants.

    Raises:
        NotRead: the view lacks branches or RR-plans of descendants.
    """
    doomed = [rr_plan]
    if status in CASCADING:
        doomed += live_descendants(book, rr_plan.rr_plan)
    closed = []
    for each in doomed:
        own = each is rr_plan
        entered = status if own else State.OBSOLETE_NULLIFIED
        why = reason if own else f"{rr_plan.rr_plan} entered {status.value}"
        book.append(
            VcNullify(
                rr_plan=each.rr_plan,
                last_counter=each.clock[each.branch],
                status=entered,
                reason=why,
            ),
            branch=each.branch,
            rr=each.n,
        )
        closed.append(Nullified(rr_plan=each.rr_plan, status=entered))
    return closed


def live_descendants(book: PlanBook, rr_plan_id: str) -> list[RRPlan]:
    """Live RR-plans opened, directly or not, inside of `rr_plan_id`. Raises NotRead."""
    plan = book.need_plan().plan
    children: dict[str, list[Branch]] = {}
    for branch in book.branches():
        if branch.parent_rr is not None:
            children.setdefault(branch.parent_rr, []).append(branch)
    below = []
    seen = {rr_plan_id}
    waiting = [rr_plan_id]
    while waiting:
        for branch in children.get(waiting.pop(), []):
            child = branch.rr_plan_id(plan)
            if child not in seen:
                seen.add(child)
                waiting.append(child)
                below.append(branch)
    return sorted(book.live(below), key=lambda rr_plan: rr_plan.rr_plan)
