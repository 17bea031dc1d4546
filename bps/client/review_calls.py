"""Reviews: what waits for a person."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bps.client.answers import PAGE, Calls, Page, T
from bps.core.errors import IntegrityError
from bps.core.ids import ReviewId
from bps.plans.unreadable import unreadable
from bps.writepath.command import Outcome

if TYPE_CHECKING:
    from bps.plans.reviews import Review
    from bps.promotion.results import PromotionResult
    from bps.review.results import ReviewResult
    from bps.review.sheet import ReviewSheet


@dataclass(frozen=True, slots=True)
class OpenReviews:
    """`complete`: the service had looked at all plans; else some may be missing.

    `unreadable` names plans whose review could not be read; None: there is none.
    """

    items: list[Review]
    complete: bool
    unreadable: IntegrityError | None = None


class _OpenPage(Page[T]):
    complete: bool


def _path(review: str) -> tuple[str, ...]:
    named = ReviewId.parse(review)
    return ("plans", named.plan, "reviews", str(named))


class ReviewCalls(Calls):
    """Calls under `/v1/plans/{plan}/reviews`. A review is named by its id, such as `EP-42-RV1`.

    `if_match` is the ETag of the review as it was seen; without it whatever is there counts.
    """

    def reviews(self, plan: str) -> AsyncGenerator[Review, None]:
        """A plan's reviews; a request per 200."""
        from bps.plans.reviews import Review

        return self._pages(Review, "plans", plan, "reviews")

    async def open_reviews(self) -> OpenReviews:
        """The open reviews of all plans; a request per 200."""
        from bps.plans.reviews import Review

        found: list[Review] = []
        complete, cursor = True, None
        errors: dict[str, IntegrityError] = {}
        while True:
            query = {"limit": PAGE, "cursor": cursor}
            page = await self._get(_OpenPage[Review], "reviews", query=query)
            found += page.items
            complete = complete and page.complete
            errors |= page.errors()
            cursor = page.next_cursor
            if cursor is None:
                why = unreadable("review", errors) if errors else None
                return OpenReviews(found, complete, why)

    async def review(self, review: str) -> ReviewSheet:
        """A review with every conflict and all its values. Raises InvalidId, NotFound."""
        from bps.review.sheet import ReviewSheet

        return await self._get(ReviewSheet, *_path(review))

    async def claim_review(
        self,
        review: str,
        *,
        minutes: int = 15,
        hold: bool = False,
        if_match: str | None = None,
        op_id: str | None = None,
    ) -> Outcome[ReviewResult]:
        """Work on a review alone. Raises ReviewHeld: another does."""
        from bps.review.results import ReviewResult

        body = {"minutes": minutes, "hold": hold}
        path = (*_path(review), "claim")
        return await self._act(
            ReviewResult, "POST", *path, op_id=op_id, body=body, if_match=if_match
        )

    async def release_review(
        self, review: str, *, if_match: str | None = None, op_id: str | None = None
    ) -> Outcome[ReviewResult]:
        """End a claim before its time. Raises ReviewHeld: it is another's."""
        from bps.review.results import ReviewResult

        path = (*_path(review), "release")
        return await self._act(ReviewResult, "POST", *path, op_id=op_id, body={}, if_match=if_match)

    async def resolve_review(
        self,
        review: str,
        resolutions: Sequence[Mapping[str, str]],
        *,
        if_match: str | None = None,
        op_id: str | None = None,
    ) -> Outcome[ReviewResult]:
        """Decide conflicts: each `path` or `conflict` with `take` or `text`."""
        from bps.review.results import ReviewResult

        body = {"resolutions": [dict(each) for each in resolutions]}
        path = (*_path(review), "resolutions")
        return await self._act(
            ReviewResult, "POST", *path, op_id=op_id, body=body, if_match=if_match
        )

    async def complete_review(
        self,
        review: str,
        *,
        reason: str = "",
        if_match: str | None = None,
        op_id: str | None = None,
    ) -> Outcome[PromotionResult]:
        """Publish what waits in it. Raises MergeConflict while something is undecided."""
        from bps.promotion.results import PromotionResult

        path = (*_path(review), "completion")
        return await self._act(
            PromotionResult,
            "POST",
            *path,
            op_id=op_id,
            body={"reason": reason},
            if_match=if_match,
        )

    async def reject_review(
        self,
        review: str,
        reason: str,
        branches: Sequence[str] = (),
        *,
        if_match: str | None = None,
        op_id: str | None = None,
    ) -> Outcome[ReviewResult]:
        """Refuse RR-plans of it for good, by default all."""
        from bps.review.results import ReviewResult

        body = {"reason": reason, "branches": list(branches)}
        path = (*_path(review), "rejection")
        return await self._act(
            ReviewResult, "POST", *path, op_id=op_id, body=body, if_match=if_match
        )
