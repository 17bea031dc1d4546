"""Opening one RR-plan: what a regression and a rebase have in common."""

from __future__ import annotations

from bps.plans.book import PlanBook
from bps.plans.events import BranchOpened
from bps.plans.model import RRPlan


def open_rr_plan(
    book: PlanBook, *, branch: str, n: int, body: BranchOpened, trace_id: str
) -> RRPlan:
    """Append the opening of RR-plan `n`; the RR-plan as it is then."""
    book.append(body, branch=branch, rr=n, trace_id=trace_id)
    return book.rr_plan(branch, n)
