"""Parameters that several routes share: checked once, described once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator

from bps.core import ids
from bps.http.pages import digits

_MAX_NUMBER = 2**63 - 1

PlanId = Annotated[
    str,
    AfterValidator(ids.plan_id),
    Path(
        description="Plan id.",
        examples=["EP-42"],
        json_schema_extra={"pattern": "^EP-[1-9][0-9]{0,9}$"},
    ),
]
"""Raises InvalidId."""

BranchName = Annotated[
    str,
    Path(
        description="Branch or RR-plan: `br66400e4b`, its 40 digits, `EP-42-RR(br66400e4b)-1`.",
        examples=["br66400e4b"],
        json_schema_extra={
            "pattern": r"^((br)?[0-9a-f]{8,40}|EP-[1-9][0-9]{0,9}-RR\(br[0-9a-f]{8,40}\)"
            r"-[1-9][0-9]{0,9})$"
        },
    ),
]
"""To be parsed by `bps.core.ids.BranchRef`, which needs the plan."""

VersionNumber = Annotated[
    int,
    BeforeValidator(digits),
    Path(ge=1, le=_MAX_NUMBER, description="Number of a canonical version.", examples=["1"]),
]
