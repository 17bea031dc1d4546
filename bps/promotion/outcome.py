"""Deciding a promotion of chosen RR-plans: what is published, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence

from bps.candidates.candidate import Attempt, Candidate, Held
from bps.candidates.merging import ENGINE
from bps.candidates.request import candidate_work, untouched_result
from bps.candidates.verdict import said_of_unfinished
from bps.core.errors import PluginError
from bps.plans.book import PlanBook
from bps.plans.merge_record import AppliedResolution, MergeRecord
from bps.plans.model import Contributor, RRPlan
from bps.plans.register import receipt
from bps.plans.results import Nullified
from bps.plans.reviews import Review
from bps.promotion.held import said_of_held
from bps.promotion.publish import MergedBlueprint, publish
from bps.promotion.results import PromotionResult
from bps.review.refusal import SHOWN, in_conflict
from bps.review.unmet import fate_of
from bps.review.upkeep import (
    complete_or_supersede,
    open_review_of,
    review_set,
    said_of,
)
from bps.writepath.command import Commit

_LOOK = (
    "Look with `bps validators doctor` where BPS runs; repair the validator, or let an operator "
    "take it out of the policy."
)


def promotion_of(
    book: PlanBook,
    contributors: Sequence[RRPlan],
    reason: str,
    *,
    partial: bool,
    looked_at: bool = False,
) -> Commit[PromotionResult]:
    """The transaction that publishes `contributors`, or a part of them, or opens their review.

    `contributors` are in the total order. With `partial` those are published that have no part
    in a conflict. `looked_at`: a reviewer completes the review by this.
    Nothing is prepared where law 1 tells the result, nobody decided anything of `contributors`, and
    either the policy allows no validator or the result is canonical already.

    Raises:
        NotPrepared: a merge or the validators are needed, and were not run yet.
        PluginError: a validator did not complete; it is named.
        NotRead: the review names RR-plans that the view lacks.
        MergeConflict: nothing can be published, and the open review says all that already.
        LimitExceeded: the merged blueprint is larger than the policy allows.
    """
    review = book.open_review()
    canonical = book.state.need_canonical()
    digest = untouched_result(canonical, contributors)
    judged = bool(book.policy.validators) and digest != canonical.digest
    if digest is not None and not (looked_at or judged or _decided(review, contributors)):
        promoted, nullified = publish(book, contributors, digest, reason)
        if review is not None:
            complete_or_supersede(book, review, contributors)
        return _commit(book, promoted, nullified)
    work = candidate_work(
        book,
        contributors,
        review.resolutions if review is not None else (),
        looked_at=looked_at,
        partial=partial,
    )
    candidate = book.view.result_of(work)
    _check_finished(book, candidate.against, contributors)
    chosen = [each for each in contributors if each.rr_plan in candidate.merged]
    waiting = [each for each in contributors if each.rr_plan in candidate.waiting]
    held = list(candidate.held)
    inside = review_set(book, waiting, [each.rr_plan for each in held]) if waiting else []
    joined = [each.rr_plan for each in inside] != [each.rr_plan for each in waiting]
    opened = False
    if joined:
        opened, more = _open_joined(book, inside, review)
        held += more
        waiting = [
            each for each in waiting if each.rr_plan not in {other.rr_plan for other in more}
        ]
    completes = review if looked_at else None
    promoted, nullified = _publish(
        book, chosen, candidate, reason, review=review, completes=completes
    )
    if waiting and not joined:
        opened = open_review_of(book, waiting, candidate.against)
    if review is not None and not waiting:
        complete_or_supersede(book, review, chosen)
    if not chosen and not opened:
        raise _refused(book, waiting, candidate.against, held)
    said = said_of_held(held, review, book.open_review())
    said += [] if promoted else _said_of_kept(book, candidate, review)
    if book.open_review() is None:
        said += _said_of_unmet(review, candidate.made)
    return _commit(book, promoted, nullified, waiting, candidate.against, held=said)


def _decided(review: Review | None, contributors: Sequence[RRPlan]) -> bool:
    """Whether what law 1 tells may not be what a person decided of a veto."""
    if review is None or not review.resolutions:
        return False
    inside = {each.rr_plan for each in review.contributors}
    return any(each.rr_plan in inside for each in contributors)


def _check_finished(book: PlanBook, attempt: Attempt, tried: Sequence[RRPlan]) -> None:
    """No person can decide what a broken validator would have said, so that nobody is asked."""
    if not attempt.unfinished:
        return
    names = [each.rr_plan for each in tried]
    msg = f"Nothing was promoted of {', '.join(names)}. {said_of_unfinished(attempt)}"
    error = PluginError(msg, validators=[*attempt.unfinished], rr_plans=[*names])
    plan = book.state.keys.plan
    if len(names) == 1:
        raise error.advising(
            f"{_LOOK} Or end {names[0]} (`bps branch fail`), or rebase and submit anew."
        )
    raise error.advising(
        f"{_LOOK} Promote them one by one (`bps promote {plan} RR-PLAN`) to see on which it "
        "fails; the others can be published so."
    )


def _open_joined(
    book: PlanBook, inside: Sequence[RRPlan], review: Review | None
) -> tuple[bool, tuple[Held, ...]]:
    """A review with others in it: computed for all of them, against what is canonical before.

    Who of them is held keeps no other out of the review.
    """
    resolutions = review.resolutions if review is not None else ()
    together = book.view.result_of(candidate_work(book, inside, resolutions, parted=True))
    _check_finished(book, together.against, inside)
    held = {each.rr_plan for each in together.held}
    kept = [each for each in inside if each.rr_plan not in held]
    return open_review_of(book, kept, together.against), together.held


def _publish(
    book: PlanBook,
    chosen: Sequence[RRPlan],
    candidate: Candidate,
    reason: str,
    *,
    review: Review | None,
    completes: Review | None,
) -> tuple[list[Contributor], list[Nullified]]:
    made = candidate.made
    if not chosen or made is None or candidate.blob is None:
        return [], []
    applied = set(made.applied)
    resolutions = [
        AppliedResolution(
            conflict=each.conflict, path=each.path, take=each.take, text=each.text, by=each.by
        )
        for each in (review.resolutions if review is not None else ())
        if each.conflict in applied
    ]
    named = review if resolutions else completes
    merge = MergeRecord(
        engine=ENGINE,
        policy=book.policy.n,
        canonical_digest=book.state.need_canonical().digest,
        bases=[each.base_digest for each in chosen],
        resolutions=resolutions,
        validators=list(made.validators),
        review=named.review if named is not None else None,
        origins=candidate.report.digest if candidate.report is not None else None,
    )
    merged = MergedBlueprint(candidate.blob, candidate.report, merge)
    return publish(book, chosen, candidate.blob.digest, reason, merged)


def _said_of_kept(book: PlanBook, candidate: Candidate, review: Review | None) -> list[str]:
    """That a reviewer's decisions are why nothing was published of what was merged."""
    if review is None or not candidate.merged or candidate.made is None:
        return []
    if not candidate.made.applied:
        return []
    version = book.state.need_canonical().version
    return [f"Nothing was published: the decisions in {review.review} keep version {version}."]


def _said_of_unmet(review: Review | None, made: Attempt | None) -> list[str]:
    """Which decisions of the review that ends here are not in what was published."""
    if review is None or made is None:
        return []
    dropped = fate_of(review.resolutions, made).dropped
    return [f"{each.path or 'the root'}: {each.message}" for each in dropped[:SHOWN]]


def _refused(
    book: PlanBook, waiting: Sequence[RRPlan], against: Attempt, held: Sequence[Held]
) -> Exception:
    review = book.open_review()
    name = review.review if review is not None else ""
    rr_plans = [each.rr_plan for each in waiting]
    said = [*said_of_held(held, review, review), *said_of(against)]
    return in_conflict(name, rr_plans, len(against.conflicts), said)


def _commit(
    book: PlanBook,
    promoted: list[Contributor],
    nullified: list[Nullified],
    waiting: Sequence[RRPlan] = (),
    against: Attempt | None = None,
    *,
    held: Sequence[str] = (),
) -> Commit[PromotionResult]:
    canonical = book.state.need_canonical()
    review = book.open_review() if waiting else None
    nothing = not promoted and not nullified
    how = "promotion" if promoted else "review" if nothing and waiting else "unchanged"
    result = PromotionResult.model_validate(
        {
            "plan": book.state.keys.plan,
            "how": how,
            "version": canonical.version,
            "digest": canonical.digest,
            "contributors": promoted,
            "nullified": nullified,
            "receipt": receipt(book),
            "review": review.review if review is not None else None,
            "in_review": [each.rr_plan for each in waiting],
            "conflicts": len(against.conflicts) if against is not None else 0,
            "findings": [*held, *(said_of(against) if against is not None else [])],
        }
    )
    return Commit(*book.parts(), result, book.conflicts)
