"""The open reviews of several plans: a plan has at most one, and its newest says which."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import IntegrityError
from bps.core.ports import Key, Reads
from bps.plans.model import RRPlan, State
from bps.plans.read import every_plan
from bps.plans.reviews import Review
from bps.plans.stored import review_at
from bps.plans.unreadable import unreadable

_BATCH = 100


@dataclass(frozen=True, slots=True)
class OpenReviews:
    """Those that were open at `revision`, in the order of the plans asked for.

    `unreadable` are the plans whose newest review is damaged, or of a newer release.
    """

    items: tuple[Review, ...]
    revision: int
    unreadable: Mapping[str, IntegrityError]


async def open_reviews_of(reads: Reads, plans: Sequence[str]) -> OpenReviews:
    """The open reviews of `plans`; one that has none is passed over.

    Cost: one round trip per 100 plans; one where there is none, which says how current that is.
    """
    found: list[Review] = []
    errors: dict[str, IntegrityError] = {}
    revision = 0
    for start in range(0, max(1, len(plans)), _BATCH):
        batch = [keys.PlanKeys(plan) for plan in plans[start : start + _BATCH]]
        asked = [Key(at.newest_review) for at in batch] or [Key(keys.SCHEMA)]
        snapshot = await reads.snapshot(asked)
        revision = snapshot.revision
        # Not strict: without plans, another key is asked for.
        for at, kvs in zip(batch, snapshot.answers, strict=False):
            try:
                found += [each for each in (review_at(at, kv) for kv in kvs) if each.is_open]
            except IntegrityError as error:
                errors[at.plan] = error
    return OpenReviews(tuple(found), revision, errors)


async def review_of_waiting(reads: Reads, plan: str, rr_plans: Iterable[RRPlan]) -> Review | None:
    """The open review of `plan`, where one of `rr_plans` may wait in it.

    Cost: one round trip where one has succeeded, else none. Raises IntegrityError.
    """
    if all(each.state is not State.SUCCEEDED for each in rr_plans):
        return None
    found = await open_reviews_of(reads, [plan])
    if found.unreadable:
        raise unreadable("review", found.unreadable)
    return next(iter(found.items), None)


async def every_open_review(reads: Reads) -> AsyncGenerator[Review, None]:
    """The open reviews of all plans, in the order of the plans' ids as text.

    For who has no index of them. Cost: as `list_plans`, and one round trip per 100 plans.
    Raises IntegrityError after the last one, where records cannot be read; it names the plans.
    """
    errors: dict[str, IntegrityError] = {}
    plans: list[str] = []
    async for name, plan in every_plan(reads):
        plans.append(name)
        if isinstance(plan, IntegrityError):
            errors[name] = plan
        if len(plans) == _BATCH:
            found = await open_reviews_of(reads, plans)
            errors |= found.unreadable
            plans = []
            for review in found.items:
                yield review
    found = await open_reviews_of(reads, plans)
    errors |= found.unreadable
    for review in found.items:
        yield review
    if errors:
        raise unreadable("plan", errors)
