"""What all acts on a review share: finding it open, as the caller saw it, and not another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from bps.candidates.candidate import Attempt
from bps.candidates.request import candidate_work
from bps.core.errors import NotFound, WrongState
from bps.core.ids import ReviewId
from bps.merge.records import Conflict
from bps.plans.book import PlanBook
from bps.plans.model import RRPlan
from bps.plans.register import receipt
from bps.plans.results import Nullified
from bps.plans.reviews import Review, ReviewConflict, ReviewFinding, ReviewResolution
from bps.review.results import ReviewResult
from bps.review.unmet import without_old_news
from bps.review.upkeep import conflicts_of, held, in_order, listed, waiting_in
from bps.writepath.precondition import IfMatch, check_if_match

Act = Literal["claimed", "released", "resolved", "rejected"]


def need_open(
    book: PlanBook,
    review_id: ReviewId,
    if_match: IfMatch | None,
    principal: str,
    *,
    despite_claim: bool = False,
) -> Review:
    """The open review that `review_id` names; `despite_claim`: whoever has claimed it.

    Raises:
        NotFound: the plan never had it.
        WrongState: it is closed.
        PreconditionFailed: it is not as the caller has seen it.
        ReviewHeld: another has claimed it.
    """
    book.need_plan()
    review = book.open_review()
    newest = book.state.review
    if newest is None or not 1 <= review_id.n <= newest.n:
        raise NotFound(f"There is no review {review_id}.", review=str(review_id))
    if review is None or review.n != review_id.n:
        status = newest.status.value if newest.n == review_id.n else "closed"
        msg = f"{review_id} is not open: it is {status}."
        raise WrongState(msg, review=str(review_id), state=status).advising(
            f"See what is open: `bps review list {review_id.plan}`."
        )
    check_if_match(if_match, review.etag, review.review)
    by = None if despite_claim else review.claimed_by(book.now_ms)
    if by is not None and by != principal and review.claim is not None:
        raise held(review, by, review.claim.until_ms)
    return review


def would_be(
    book: PlanBook, review: Review, resolutions: Sequence[ReviewResolution]
) -> tuple[list[RRPlan], Attempt]:
    """Who waits in `review`, and what merging them with `resolutions` gives now.

    Raises:
        WrongState: nothing of it waits any more.
        NotPrepared, NotRead: the loop has to do more first.
    """
    waiting = in_order(waiting_in(book, review))
    if not waiting:
        raise nothing_waits(review)
    work = candidate_work(book, waiting, resolutions, looked_at=True)
    candidate = book.view.result_of(work)
    return waiting, candidate.made if candidate.made is not None else candidate.against


def nothing_waits(review: Review) -> WrongState:
    """The refusal of an act on a review whose RR-plans have all gone elsewhere."""
    msg = f"Nothing of {review.review} waits any more; the next promotion closes it."
    return WrongState(msg, review=review.review, state=review.status.value).advising(
        f"Promote what has succeeded since: `bps promote {review.plan}`."
    )


def to_decide(bare: Attempt, now: Attempt) -> list[Conflict]:
    """All conflicts, decided or not: of the merge, and of the vetoes of what was decided there.

    `bare` is the merge without decisions, `now` with those that were made.
    """
    every = (*bare.conflicts, *now.settled, *now.conflicts)
    return list({each.id: each for each in every}.values())


def result_of(
    book: PlanBook,
    act: Act,
    attempt: Attempt | None,
    nullified: Sequence[Nullified] = (),
) -> ReviewResult:
    """The review after what was appended, with what `attempt` leaves to do, or else its record."""
    review = book.state.review
    if review is None:
        msg = "a result needs a review"
        raise ValueError(msg)
    left = _left_by_record(review) if attempt is None else _left_by(attempt)
    return ReviewResult(
        act=act,
        plan=review.plan,
        review=review.review,
        status=review.status,
        etag=review.etag,
        contributors=[each.rr_plan for each in review.contributors],
        open=listed(left.open),
        open_total=left.open_total,
        findings=listed(left.findings),
        findings_total=left.findings_total,
        nullified=list(nullified),
        receipt=receipt(book),
    )


class _Left(NamedTuple):
    """What stands in the way of a review's completion."""

    open: list[ReviewConflict]
    open_total: int
    findings: list[ReviewFinding]
    findings_total: int


def _left_by(attempt: Attempt) -> _Left:
    conflicts, findings = conflicts_of(attempt), list(attempt.findings)
    return _Left(conflicts, len(conflicts), findings, len(findings))


def _left_by_record(review: Review) -> _Left:
    """As it was computed last, less what was decided since; nothing where it is closed."""
    if not review.is_open:
        return _Left([], 0, [], 0)
    decided = {each.conflict for each in review.resolutions}
    conflicts = [each for each in review.conflicts if each.id not in decided]
    done = len(review.conflicts) - len(conflicts)
    findings = without_old_news(review.findings, review.resolutions)
    gone = len(review.findings) - len(findings)
    return _Left(conflicts, review.conflicts_total - done, findings, review.findings_total - gone)
