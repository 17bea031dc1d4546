"""The open reviews of several plans: a plan has at most one, and its newest says which."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.ports import Key, Reads
from bps.plans.model import RRPlan, State
from bps.plans.read import list_plans
from bps.plans.reviews import Review
from bps.plans.stored import review_at

_BATCH = 100


@dataclass(frozen=True, slots=True)
class OpenReviews:
    """Those that were open at `revision`, in the order of the plans asked for."""

    items: tuple[Review, ...]
    revision: int


async def open_reviews_of(reads: Reads, plans: Sequence[str]) -> OpenReviews:
    """The open reviews of `plans`; one that has none is passed over.

    Cost: one round trip per 100 plans; one where there is none, which says how current that is.

    Raises:
        IntegrityError: a record is damaged.
    """
    found: list[Review] = []
    revision = 0
    for start in range(0, max(1, len(plans)), _BATCH):
        batch = [keys.PlanKeys(plan) for plan in plans[start : start + _BATCH]]
        asked = [Key(at.newest_review) for at in batch] or [Key(keys.SCHEMA)]
        snapshot = await reads.snapshot(asked)
        revision = snapshot.revision
        reviews = [
            review_at(at, kvs[0])
            for at, kvs in zip(batch, snapshot.answers, strict=False)  # where nobody is asked about
            if kvs
        ]
        found += [review for review in reviews if review.is_open]
    return OpenReviews(tuple(found), revision)


async def review_of_waiting(reads: Reads, plan: str, rr_plans: Iterable[RRPlan]) -> Review | None:
    """The open review of `plan`, where one of `rr_plans` may wait in it.

    Cost: one round trip where one has succeeded, else none.
    """
    if all(each.state is not State.SUCCEEDED for each in rr_plans):
        return None
    return next(iter((await open_reviews_of(reads, [plan])).items), None)


async def every_open_review(reads: Reads) -> AsyncGenerator[Review, None]:
    """The open reviews of all plans, in the order of the plans' ids as text.

    For who has no index of them. Cost: as `list_plans`, and one round trip per 100 plans.
    """
    plans: list[str] = []
    async for plan in list_plans(reads):
        plans.append(plan.plan)
        if len(plans) == _BATCH:
            for review in (await open_reviews_of(reads, plans)).items:
                yield review
            plans = []
    if plans:
        for review in (await open_reviews_of(reads, plans)).items:
            yield review
