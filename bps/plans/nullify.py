"""Closing RR-plans: VC_NULLIFY on entering OBSOLETE_*, for descendants too (R6, R11)."""

from __future__ import annotations

from bps.core.ids import RRPlanId
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
        doomed += live_descendants(book, book.branch(rr_plan.branch))
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


def live_descendants(book: PlanBook, branch: Branch) -> list[RRPlan]:
    """Live RR-plans opened, directly or not, inside of the newest RR-plan of `branch`.

    A rebase carries on the work of the revision before it, and so what was opened inside of that.
    Raises NotRead.
    """
    below: dict[str, Branch] = {}
    waiting = [branch]
    while waiting:
        parent = waiting.pop()
        for child in book.branches():
            if child.branch not in below and is_inside(child, parent):
                below[child.branch] = child
                waiting.append(child)
    below.pop(branch.branch, None)
    return sorted(book.live(list(below.values())), key=lambda rr_plan: rr_plan.rr_plan)


def is_inside(child: Branch, parent: Branch) -> bool:
    """Whether the newest RR-plan of `child` was opened inside of the newest line of `parent`."""
    if child.parent_rr is None:
        return False
    within = RRPlanId.parse(child.parent_rr)
    return within.branch == parent.short and parent.since <= within.n <= parent.n
