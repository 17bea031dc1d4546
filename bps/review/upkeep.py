"""Keeping the plan's one open review true: opening it, computing it anew, ending it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from bps.candidates.candidate import Attempt
from bps.core.codec import canonical_json
from bps.core.errors import ReviewHeld
from bps.core.ids import ReviewId
from bps.core.vector_clock import order_key
from bps.plans.book import PlanBook
from bps.plans.cloudevents import rfc3339
from bps.plans.model import RRPlan, State
from bps.plans.review_events import ReviewCompleted, ReviewOpened, ReviewSuperseded
from bps.plans.reviews import (
    MAX_LISTED_BYTES,
    Review,
    ReviewConflict,
    ReviewedBranch,
    ReviewFinding,
)
from bps.review.refusal import SHOWN
from bps.review.unmet import fate_of, own_findings, still_told

T = TypeVar("T", ReviewConflict, ReviewFinding)


def check_not_held(book: PlanBook, review: Review | None, principal: str) -> None:
    """Raise ReviewHeld where a claim by another holds the plan's promotions. Raises NotRead.

    A review of which nothing waits any more holds nothing: a promotion is what ends it.
    """
    claim = review.claim if review is not None else None
    if review is None or claim is None or not claim.holds or claim.by == principal:
        return
    if book.now_ms < claim.until_ms and waiting_in(book, review):
        raise held(review, claim.by, claim.until_ms)


def held(review: Review, by: str, until_ms: int) -> ReviewHeld:
    """The refusal of who has to wait for a reviewer."""
    msg = f"{by} works on {review.review} until {rfc3339(until_ms)}."
    return ReviewHeld(msg, review=review.review, by=by, until_ms=until_ms).advising(
        f"Wait until then, or ask {by}; a supervisor or an operator may end the claim: "
        f"`bps review release {review.review}`."
    )


def waiting_in(book: PlanBook, review: Review) -> list[RRPlan]:
    """The RR-plans of `review` that still wait as it says, in its order. Raises NotRead."""
    named = [(each.branch, each.n) for each in review.contributors]
    found = dict(zip(named, book.rr_plans(named), strict=True))
    return [
        found[each.branch, each.n]
        for each in review.contributors
        if found[each.branch, each.n].state is State.SUCCEEDED
        and found[each.branch, each.n].digest == each.digest
    ]


def open_review_of(book: PlanBook, waiting: Sequence[RRPlan], against: Attempt) -> bool:
    """Open the plan's review for `waiting`, or compute the open one anew.

    False: the open one says all of it already, and nothing was appended. `against` is the attempt
    to merge exactly `waiting` into what is canonical in `book`.
    """
    review = book.open_review()
    opened = _opening(book, review, waiting, against)
    if review is not None and not _news(review, opened):
        return False
    book.conflicts += _newly_met(review, opened)
    book.append(opened)
    return True


def _newly_met(review: Review | None, opened: ReviewOpened) -> int:
    """How many conflicts `review` had not; those beyond the listed ones by their number alone."""
    met = opened.conflicts_total
    if review is None:
        return met
    known = {each.id for each in review.conflicts}
    again = sum(each.id in known for each in opened.conflicts)
    unlisted = met - len(opened.conflicts)
    return met - again - min(unlisted, review.conflicts_total - len(review.conflicts))


def review_set(
    book: PlanBook, waiting: Sequence[RRPlan], held: Collection[str] = ()
) -> list[RRPlan]:
    """Who is in the review once `waiting` are: those that are already, then these, in order.

    The RR-plans `held` leave it, as nobody could decide what it has while they are in it. At most
    as many as one promotion may have; who does not fit waits for the next one.
    """
    review = book.open_review()
    before = waiting_in(book, review) if review is not None else []
    inside = [each for each in before if each.rr_plan not in held]
    every = {(each.branch, each.n): each for each in [*inside, *waiting]}
    kept = list(every.values())[: max(book.policy.max_contributors, len(inside))]
    return in_order(kept)


def in_order(rr_plans: Sequence[RRPlan]) -> list[RRPlan]:
    """The total order (design, "Vector clocks and events")."""
    return sorted(rr_plans, key=lambda each: order_key(each.clock, each.branch))


def _opening(
    book: PlanBook, review: Review | None, waiting: Sequence[RRPlan], against: Attempt
) -> ReviewOpened:
    canonical = book.state.need_canonical()
    newest = book.state.review
    conflicts = conflicts_of(against)
    fate = fate_of(review.resolutions if review is not None else (), against)
    before = still_told(review.findings, fate.kept) if review is not None else []
    findings = [*before, *fate.dropped, *own_findings(against, fate.dropped)]
    return ReviewOpened(
        n=review.n if review is not None else (newest.n if newest is not None else 0) + 1,
        canonical_version=canonical.version,
        canonical_digest=canonical.digest,
        contributors=[
            ReviewedBranch(
                rr_plan=each.rr_plan,
                branch=each.branch,
                n=each.n,
                digest=each.digest or "",
                base_digest=each.base_digest,
                by=each.submitted_by,
            )
            for each in waiting
        ],
        conflicts=listed(conflicts),
        conflicts_total=len(conflicts),
        findings=listed(findings),
        findings_total=len(findings),
        carried=sorted(each.conflict for each in fate.kept),
    )


def conflicts_of(attempt: Attempt) -> list[ReviewConflict]:
    """Its open conflicts, as a review's record has them."""
    return [
        ReviewConflict(id=each.id, path=each.path, kind=each.kind.value)
        for each in attempt.conflicts
    ]


def listed(items: Sequence[T]) -> list[T]:
    """The first of `items` that together have at most 32 KiB; the totals tell of the rest."""
    kept: list[T] = []
    size_bytes = 0
    for item in items:
        size_bytes += len(canonical_json(item.stored_fields()))
        if size_bytes > MAX_LISTED_BYTES:
            break
        kept.append(item)
    return kept


def _news(review: Review, opened: ReviewOpened) -> bool:
    said = ("canonical_version", "canonical_digest", "contributors", "conflicts", "findings")
    totals = ("conflicts_total", "findings_total")
    same = all(getattr(review, name) == getattr(opened, name) for name in (*said, *totals))
    return not same or {each.conflict for each in review.resolutions} != set(opened.carried)


def complete_or_supersede(book: PlanBook, review: Review, published: Sequence[RRPlan]) -> None:
    """End `review` where nothing of it waits any more. Raises NotRead."""
    if waiting_in(book, review):
        return
    done = {each.rr_plan for each in published}
    if done & {each.rr_plan for each in review.contributors}:
        version = book.state.need_canonical().version
        book.append(ReviewCompleted(n=review.n, version=version))
    else:
        book.append(ReviewSuperseded(n=review.n, reason="nothing of it waits any more"))


def said_of(against: Attempt) -> list[str]:
    """The first findings, for an answer."""
    return [each.message for each in against.findings[:SHOWN]]


def review_name(book: PlanBook) -> str:
    """The id of the open review. Raises ValueError: there is none."""
    review = book.open_review()
    if review is None:
        msg = "no review is open"
        raise ValueError(msg)
    return str(ReviewId(review.plan, review.n))
