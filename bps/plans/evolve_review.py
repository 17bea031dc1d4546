"""What events do to the plan's review: the part of `PlanState.apply` that concerns it."""

from __future__ import annotations

from bps.core.errors import MalformedRecord
from bps.core.ids import ReviewId
from bps.plans.review_events import (
    ReviewBody,
    ReviewClaimed,
    ReviewCompleted,
    ReviewOpened,
    ReviewRejected,
    ReviewResolved,
    ReviewSuperseded,
)
from bps.plans.reviews import Review, ReviewClaim, ReviewResolution, ReviewStatus


def review_after(
    review: Review | None, seq: int, time_ms: int, by: str, body: ReviewBody
) -> Review:
    """The review after `body`, which `by` made as event `seq`.

    Raises:
        MalformedRecord: there is no review that the event could be about.
    """
    if isinstance(body, ReviewOpened):
        return _opened(review, seq, time_ms, by, body)
    if review is None:
        raise MalformedRecord(f"Event {seq} is about a review that was never opened.")
    changed = {"seq": seq, "acts": review.acts + 1, **_changes(review, time_ms, by, body)}
    return review.model_copy(update=changed)


def _opened(before: Review | None, seq: int, time_ms: int, by: str, body: ReviewOpened) -> Review:
    plan = body.contributors[0].rr_plan.partition("-RR(")[0] if body.contributors else ""
    again = before if before is not None and before.is_open else None
    carried = set(body.carried)
    return Review(
        review=str(ReviewId(plan, body.n)),
        plan=plan,
        n=body.n,
        status=ReviewStatus.OPEN,
        canonical_version=body.canonical_version,
        canonical_digest=body.canonical_digest,
        contributors=body.contributors,
        conflicts=body.conflicts,
        conflicts_total=body.conflicts_total,
        findings=body.findings,
        findings_total=body.findings_total,
        resolutions=[r for r in again.resolutions if r.conflict in carried] if again else [],
        claim=again.claim if again else None,
        held=again.held if again else False,
        opened_ms=again.opened_ms if again else time_ms,
        opened_by=again.opened_by if again else by,
        seq=seq,
        acts=(before.acts if before is not None else 0) + 1,
        closed_ms=None,
        reason="",
    )


def _changes(review: Review, time_ms: int, by: str, body: ReviewBody) -> dict[str, object]:
    match body:
        case ReviewClaimed():
            if body.until_ms == time_ms:
                return {"claim": None}
            claim = ReviewClaim(by=by, since_ms=time_ms, until_ms=body.until_ms, holds=body.holds)
            return {"claim": claim, "held": review.held or body.holds}
        case ReviewResolved():
            return {"resolutions": with_resolutions(review.resolutions, body.resolutions)}
        case ReviewCompleted():
            return _ended(ReviewStatus.COMPLETED, time_ms, f"published as version {body.version}")
        case ReviewSuperseded():
            return _ended(ReviewStatus.SUPERSEDED, time_ms, body.reason)
        case ReviewRejected():
            rejected = set(body.rejected)
            left = [each for each in review.contributors if each.rr_plan not in rejected]
            if left:
                return {"contributors": left}
            return _ended(ReviewStatus.REJECTED, time_ms, body.reason)
        case _:
            raise MalformedRecord(f"{body.TYPE} changes no review.")


def _ended(status: ReviewStatus, time_ms: int, reason: str) -> dict[str, object]:
    return {"status": status, "closed_ms": time_ms, "reason": reason, "claim": None}


def with_resolutions(
    before: list[ReviewResolution], new: list[ReviewResolution]
) -> list[ReviewResolution]:
    """`before` with the `new` ones, of which each replaces one of the same conflict."""
    merged = {each.conflict: each for each in before} | {each.conflict: each for each in new}
    return [merged[conflict] for conflict in sorted(merged)]
