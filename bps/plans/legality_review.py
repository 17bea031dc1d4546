"""Whether an event of a review may follow: the part of `check_legal` that concerns reviews."""

from __future__ import annotations

from collections.abc import Mapping

from bps.plans.model import RRPlan, State, Version
from bps.plans.review_events import (
    ReviewBody,
    ReviewClaimed,
    ReviewCompleted,
    ReviewOpened,
    ReviewRejected,
    ReviewSuperseded,
)
from bps.plans.reviews import MAX_CLAIM_MS, Review, ReviewedBranch

RRPlans = Mapping[tuple[str, int], RRPlan]


def review_objection(
    review: Review | None,
    canonical: Version,
    rr_plans: RRPlans,
    body: ReviewBody,
    *,
    time_ms: int,
    by: str,
) -> str | None:
    """Why `body` is not allowed; None where it is."""
    if isinstance(body, ReviewOpened):
        return _of_opening(review, canonical, rr_plans, body)
    if review is None or not review.is_open or body.n != review.n:
        return "its review is not open"
    if isinstance(body, ReviewClaimed):
        return _of_claim(review, time_ms, by, body)
    if isinstance(body, ReviewCompleted) and body.version != canonical.version:
        return "its version is not the canonical one"
    named = {each.rr_plan: each for each in review.contributors}
    if isinstance(body, ReviewRejected):
        if not body.rejected or not named.keys() >= set(body.rejected):
            return "it rejects what is not in its review"
        if any(_waits(rr_plans, named[each]) for each in body.rejected):
            return "what it rejects is live"
    if isinstance(body, ReviewSuperseded) and any(_waits(rr_plans, e) for e in named.values()):
        return "something in its review waits"
    return None


def _of_opening(
    review: Review | None, canonical: Version, rr_plans: RRPlans, body: ReviewOpened
) -> str | None:
    open_ = review if review is not None and review.is_open else None
    following = open_.n if open_ is not None else (review.n if review is not None else 0) + 1
    if body.n != following:
        return "its number is not the next one"
    if (body.canonical_version, body.canonical_digest) != (canonical.version, canonical.digest):
        return "its canonical version was not canonical"
    if not body.contributors or not all(_waits(rr_plans, each) for each in body.contributors):
        return "a contributor has not succeeded with that blueprint"
    known = {each.conflict for each in open_.resolutions} if open_ is not None else set()
    return None if known >= set(body.carried) else "it carries what nobody decided"


def _of_claim(review: Review, time_ms: int, by: str, body: ReviewClaimed) -> str | None:
    claimed_by = review.claimed_by(time_ms)
    if body.until_ms == time_ms:
        return "it releases what is not claimed" if claimed_by is None or body.holds else None
    if not time_ms < body.until_ms <= time_ms + MAX_CLAIM_MS:
        return "its claim is too long, or over"
    if claimed_by not in {None, by}:
        return "its review is claimed by another"
    claim = review.claim
    # Claimed anew while it holds, and no longer than it would have held.
    again = claim is not None and claim.holds and claimed_by == by
    if body.holds and review.held and not (again and claim and body.until_ms <= claim.until_ms):
        return "a review holds promotions once"
    return None


def _waits(rr_plans: RRPlans, each: ReviewedBranch) -> bool:
    rr_plan = rr_plans.get((each.branch, each.n))
    return (
        rr_plan is not None
        and rr_plan.state is State.SUCCEEDED
        and (rr_plan.rr_plan, rr_plan.digest, rr_plan.base_digest)
        == (each.rr_plan, each.digest, each.base_digest)
    )
