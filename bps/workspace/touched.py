"""Which RR-plans an act touched, so that only their files are brought up to date after it."""

from __future__ import annotations

from pydantic import BaseModel

from bps.plans.results import BranchResult
from bps.promotion.results import PromotionResult


def rr_plans_touched(result: BaseModel) -> tuple[str, ...]:
    """The ids of the RR-plans that the act behind `result` opened, changed or closed, each once.

    Empty for an act on no RR-plan: registering a plan, reverting.
    """
    touched: list[str] = []
    if isinstance(result, BranchResult):
        touched.append(result.rr_plan)
    if isinstance(result, PromotionResult):
        touched += [each.rr_plan for each in result.contributors]
    if isinstance(result, BranchResult | PromotionResult):
        touched += [each.rr_plan for each in result.nullified]
    return tuple(dict.fromkeys(touched))
