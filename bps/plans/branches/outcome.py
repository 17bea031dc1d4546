"""What the commands on branches answer and refuse."""

from __future__ import annotations

from bps.core.errors import WrongState
from bps.plans.book import PlanBook
from bps.plans.model import RRPlan, State
from bps.plans.register import receipt
from bps.plans.results import BranchResult, Nullified


def wrong_state(rr_plan: RRPlan, act: str) -> WrongState:
    """The refusal of `act` in the state that the RR-plan has."""
    msg = f"Cannot {act} {rr_plan.rr_plan}: it is {rr_plan.state.value}."
    refusal = WrongState(msg, rr_plan=rr_plan.rr_plan, state=rr_plan.state.value)
    return refusal.advising(how_to_go_on(rr_plan))


def how_to_go_on(rr_plan: RRPlan) -> str:
    """What can be done about an RR-plan whose state does not allow what was asked."""
    if rr_plan.state is State.OPEN:
        return "Submit its fix first (`bps branch submit`)."
    if rr_plan.state is State.SUCCEEDED:
        return "Promote it (`bps promote`), or rebase it (`bps branch rebase`)."
    return (
        f"It is closed: look for its branch's newest RR-plan (`bps branch list {rr_plan.plan}`), "
        "or report the regression again (`bps branch open`)."
    )


def branch_result(
    rr_plan: RRPlan, act: str, book: PlanBook | None, closed: list[Nullified] | None = None
) -> BranchResult:
    """The answer of a command that left `rr_plan` so; `book` is None where nothing is written."""
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
