"""Reviews: promotions that wait for a person, and what that person does."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Depends
from starlette.requests import Request
from starlette.responses import Response

from bps.api.pages import OpenPageOf, PageOf
from bps.api.review_requests import (
    ClaimRequest,
    CompleteRequest,
    RejectRequest,
    ReleaseRequest,
    ResolveRequest,
)
from bps.core import ids
from bps.core.errors import (
    Ambiguous,
    Frozen,
    LimitExceeded,
    MergeConflict,
    MergeTooLong,
    NotFound,
    PreconditionFailed,
    ReviewHeld,
    TooLarge,
    WorkFailed,
    WrongState,
)
from bps.http.answers import answer, answer_page, unless_known
from bps.http.documented import read, refuses, written
from bps.http.etags import if_match
from bps.http.execute import OperationId, execute, principal_of
from bps.http.pages import DEFAULT_LIMIT, Cursor, Limit, after, digits
from bps.http.parameters import NamedReview, PlanId
from bps.http.reading import RequestReading
from bps.http.routing import asks, router
from bps.http.service import identity_of, service_of
from bps.identity.roles import Operation
from bps.plans.reviews import Review
from bps.promotion.complete import CompleteReview
from bps.promotion.results import PromotionResult
from bps.review.claim import ClaimReview
from bps.review.open import open_reviews_of
from bps.review.read import review_sheet, reviews_page
from bps.review.reject import RejectReview
from bps.review.release import ReleaseReview
from bps.review.resolve import ResolveReview
from bps.review.results import ReviewResult
from bps.review.sheet import ReviewSheet
from bps.writepath.precondition import IfMatch

ROUTER = router("reviews")

IfMatchHeader = Annotated[IfMatch | None, Depends(if_match)]

_LOOK_S = 1.0
"""A service that has just started looks for open reviews; who asks waits so long at most."""
_ON_REVIEW = (NotFound, WrongState, PreconditionFailed, ReviewHeld)


@ROUTER.get(
    "/reviews",
    response_model=OpenPageOf[Review],
    responses=read("Open reviews in the order of their plans' ids as text."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_open_reviews(
    request: Request, reading: RequestReading, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List the open reviews of all plans.

    Which plans have one is known from the watch on the store; what is told of each is read.
    `complete` is false where not all plans were looked at since the start, or the watch is behind.
    """
    last = after(cursor, "reviews", ids.plan_id)
    sidecar = service_of(request).sidecar
    pending = sidecar.pending
    seen = max(reading.at_least, sidecar.degraded.floor)
    complete = await pending.known_within(_LOOK_S, seen)
    plans = pending.plans_in_review(last)
    asked = plans[:limit]
    found = await open_reviews_of(reading, asked)
    return answer_page(
        list(found.items),
        listing="reviews",
        last=asked[-1] if len(plans) > limit else None,
        revision=found.revision,
        reading=reading,
        unreadable=found.unreadable,
        complete=complete,
    )


@ROUTER.get(
    "/plans/{plan}/reviews",
    response_model=PageOf[Review],
    responses=read("Reviews by number; at most the last one is open."),
    openapi_extra=asks(Operation.PLAN_READ),
)
async def list_reviews(
    reading: RequestReading, plan: PlanId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response:
    """List a plan's reviews, open and closed."""
    listing = f"reviews/{plan}"
    last = after(cursor, listing, digits)
    found = await reviews_page(reading, plan, after=last, limit=limit)
    following = str(found.items[-1].n) if found.more else None
    return answer_page(
        list(found.items),
        listing=listing,
        last=following,
        revision=found.revision,
        reading=reading,
    )


@ROUTER.get(
    "/plans/{plan}/reviews/{review}",
    response_model=ReviewSheet,
    responses=read("The review, and what there is to decide now.", etag=True),
    openapi_extra=asks(
        Operation.PLAN_READ, **refuses(NotFound, LimitExceeded, WorkFailed, MergeTooLong)
    ),
)
async def show_review(request: Request, named: NamedReview) -> Response:
    """Show a review with every conflict and all its values, computed anew."""
    sidecar = service_of(request).sidecar
    sheet = await review_sheet(sidecar.reads, sidecar.clock, sidecar.showroom, named)
    etag = sheet.etag if sheet.review.closed_ms is not None else None
    unchanged = unless_known(request, etag) if etag is not None else None
    return unchanged or answer(sheet, etag=sheet.etag)


@ROUTER.post(
    "/plans/{plan}/reviews/{review}/claim",
    response_model=ReviewResult,
    response_description="The review is claimed.",
    responses=written(ReviewResult),
    openapi_extra=asks(Operation.REVIEW_CLAIM, **refuses(*_ON_REVIEW)),
)
async def claim_review(
    request: Request,
    named: NamedReview,
    op_id: OperationId,
    seen: IfMatchHeader,
    wanted: Annotated[ClaimRequest, Body()] = ClaimRequest(),  # noqa: B008 - frozen
) -> Response:
    """Work on a review alone, for at most 15 minutes."""
    command = ClaimReview(
        principal_of(request), op_id, named, wanted.minutes * 60_000, wanted.hold, seen
    )
    return await execute(request, command)


@ROUTER.post(
    "/plans/{plan}/reviews/{review}/release",
    response_model=ReviewResult,
    response_description="The review is free.",
    responses=written(ReviewResult),
    openapi_extra=asks(Operation.REVIEW_RELEASE, **refuses(*_ON_REVIEW)),
)
async def release_review(
    request: Request,
    named: NamedReview,
    op_id: OperationId,
    seen: IfMatchHeader,
    _nothing: Annotated[ReleaseRequest | None, Body()] = None,
) -> Response:
    """End a claim before its time: one's own; supervisors and operators also another's."""
    identity = identity_of(request)
    command = ReleaseReview(identity.principal, op_id, named, identity.may_release_others, seen)
    return await execute(request, command)


@ROUTER.post(
    "/plans/{plan}/reviews/{review}/resolutions",
    response_model=ReviewResult,
    response_description="What was decided is kept; the rest is what is left to do.",
    responses=written(ReviewResult),
    openapi_extra=asks(
        Operation.REVIEW_RESOLVE,
        **refuses(*_ON_REVIEW, Ambiguous, LimitExceeded, WorkFailed, MergeTooLong),
    ),
)
async def resolve_review(
    request: Request,
    named: NamedReview,
    op_id: OperationId,
    seen: IfMatchHeader,
    wanted: ResolveRequest,
) -> Response:
    """Decide conflicts, each by a side or by a value of one's own."""
    command = ResolveReview(principal_of(request), op_id, named, wanted.choices(), seen)
    return await execute(request, command)


@ROUTER.post(
    "/plans/{plan}/reviews/{review}/completion",
    status_code=201,
    response_model=PromotionResult,
    response_description="A new version is canonical.",
    responses=written(PromotionResult, "The result equalled canonical."),
    openapi_extra=asks(
        Operation.REVIEW_COMPLETE,
        **refuses(
            *_ON_REVIEW, MergeConflict, LimitExceeded, Frozen, TooLarge, WorkFailed, MergeTooLong
        ),
    ),
)
async def complete_review(
    request: Request,
    named: NamedReview,
    op_id: OperationId,
    seen: IfMatchHeader,
    wanted: Annotated[CompleteRequest, Body()] = CompleteRequest(),  # noqa: B008 - frozen
) -> Response:
    """Publish what waits in the review, as decided there, atomically."""
    command = CompleteReview(principal_of(request), op_id, named, wanted.reason, seen)
    return await execute(request, command, created=lambda result: result.how != "unchanged")


@ROUTER.post(
    "/plans/{plan}/reviews/{review}/rejection",
    response_model=ReviewResult,
    response_description="They are obsolete; the review ends where nothing is left in it.",
    responses=written(ReviewResult),
    openapi_extra=asks(Operation.REVIEW_REJECT, **refuses(*_ON_REVIEW)),
)
async def reject_review(
    request: Request,
    named: NamedReview,
    op_id: OperationId,
    seen: IfMatchHeader,
    wanted: RejectRequest,
) -> Response:
    """Refuse RR-plans of a review for good; all of them where none is named."""
    refs = wanted.refs(named.plan)
    command = RejectReview(principal_of(request), op_id, named, wanted.reason, refs, seen)
    return await execute(request, command)
