"""What promotions and reverts answer."""

from __future__ import annotations

from typing import ClassVar, Literal

from bps.core.codec import Decimal, Record, Sha256
from bps.plans.model import Contributor
from bps.plans.results import Nullified, Receipt


class PromotionResult(Record):
    """The canonical version after the act. `unchanged`: the result equalled canonical."""

    KIND: ClassVar[str] = "promotion_result"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    plan: str
    how: Literal["promotion", "revert", "unchanged"]
    version: Decimal
    digest: Sha256
    contributors: list[Contributor]
    nullified: list[Nullified]
    receipt: Receipt | None
