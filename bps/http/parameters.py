"""Parameters that several routes share: checked once, described once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from pydantic import AfterValidator, BeforeValidator, Field

from bps.core import ids
from bps.http.pages import digits

_MAX_NUMBER = 2**63 - 1

PlanId = Annotated[
    str,
    AfterValidator(ids.plan_id),
    Path(
        description="Plan id.",
        examples=["EP-42"],
        json_schema_extra={"pattern": f"^{ids.PLAN_FORM}$"},
    ),
]
"""Raises InvalidId."""

BranchName = Annotated[
    str,
    Path(
        description="Branch or RR-plan: `br66400e4b`, its 40 digits, `EP-42-RR(br66400e4b)-1`.",
        examples=["br66400e4b"],
        json_schema_extra={"pattern": f"^{ids.BRANCH_FORM}$"},
    ),
]
"""To be parsed by `bps.core.ids.BranchRef`, which needs the plan."""

ReviewName = Annotated[
    str,
    Path(
        description="Review: `EP-42-RV1`, or its number alone.",
        examples=["EP-42-RV1"],
        json_schema_extra={"pattern": f"^{ids.REVIEW_OF_PLAN_FORM}$"},
    ),
]


def named_review(plan: PlanId, review: ReviewName) -> ids.ReviewId:
    """A dependency: the review that the path names. Raises InvalidId, NotFound."""
    return ids.ReviewId.of_plan(plan, review)


NamedReview = Annotated[ids.ReviewId, Depends(named_review)]

VersionNumber = Annotated[
    int,
    Field(ge=1, le=_MAX_NUMBER),
    BeforeValidator(digits),
    Path(description="Number of a canonical version.", examples=["1"]),
]
