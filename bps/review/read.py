"""Reading reviews, for the edges: the records, and an open one computed anew."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.ids import SERVICE_PRINCIPAL, ReviewId
from bps.core.ports import Clock, Key, Read, Reads, Store
from bps.plans.book import PlanBook
from bps.plans.register import plan_reads
from bps.plans.reviews import Review
from bps.plans.stored import review_at
from bps.review.acts import to_decide, would_be
from bps.review.sheet import ReviewSheet, as_shown, sheet_of
from bps.review.upkeep import waiting_in
from bps.writepath.command import Decision, Noop, OperationId, operation
from bps.writepath.prepare import Workshop
from bps.writepath.preview import decide_only
from bps.writepath.view import View

_PAGE = 200


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some reviews of a plan, ascending; `more` says whether others follow."""

    items: tuple[Review, ...]
    more: bool
    revision: int


async def reviews_page(reads: Reads, plan: str, *, after: int | None, limit: int) -> ReviewPage:
    """Reviews after number `after`, as they are shown.

    One round trip, two where there is none. Raises NotFound.
    """
    at = keys.PlanKeys(plan)
    start = at.reviews if after is None else at.review(after) + b"\x00"
    page = await reads.page(start, keys.after_prefix(at.reviews), limit=limit)
    items = tuple(as_shown(review_at(at, kv)) for kv in page.kvs)
    if not items and not (await reads.snapshot([Key(at.record)])).answers[0]:
        raise NotFound(f"There is no plan {plan}.", plan=plan)
    return ReviewPage(items, page.more, page.revision)


async def all_reviews(reads: Reads, plan: str) -> AsyncGenerator[Review, None]:
    """Every review of a plan, ascending. One round trip per 200. Raises NotFound."""
    after: int | None = None
    more = True
    while more:
        page = await reviews_page(reads, plan, after=after, limit=_PAGE)
        for review in page.items:
            yield review
            after = review.n
        more = page.more


async def review_sheet(
    store: Store, clock: Clock, workshop: Workshop, review: ReviewId
) -> ReviewSheet:
    """A review with all its values.

    Cost: one or two round trips, one per 16 blobs, and two merges for an open one.

    Raises:
        NotFound: the plan never had it.
        LimitExceeded: there are more conflicts than anybody can decide.
        WorkFailed, MergeTooLong: merging took too long.
    """
    return (await decide_only(store, clock, _ShowReview(review), workshop)).result


@dataclass(frozen=True, slots=True)
class _ShowReview:
    """A command that only looks; `decide_only` reads and merges for it."""

    review: ReviewId

    result_type = ReviewSheet

    @property
    def plan(self) -> str:
        """The review's."""
        return self.review.plan

    @property
    def operation(self) -> OperationId:
        """No operation is ever recorded under this id."""
        fields = {"review": str(self.review)}
        return operation(SERVICE_PRINCIPAL, "look", "show_review", fields)

    def reads(self) -> Sequence[Read]:
        """The plan, and the review."""
        return [*plan_reads(self.plan), Key(keys.PlanKeys(self.plan).review(self.review.n))]

    def decide(self, view: View, now_ms: int) -> Decision[ReviewSheet]:
        """Always a Noop. Raises NotFound."""
        book = PlanBook.open(view, self.plan, self.operation, now_ms)
        book.need_plan()
        stored = view.get(book.state.keys.review(self.review.n))
        if stored is None:
            raise NotFound(f"There is no review {self.review}.", review=str(self.review))
        review = review_at(book.state.keys, stored)
        version = book.state.need_canonical().version
        waiting = waiting_in(book, review) if review.is_open else []
        names = [each.rr_plan for each in waiting]
        if not waiting:
            return Noop(sheet_of(review, version, now_ms, names), "only looked at")
        _, bare = would_be(book, review, ())
        _, after = would_be(book, review, review.resolutions)
        conflicts = to_decide(bare, after)
        sheet = sheet_of(review, version, now_ms, names, conflicts=conflicts, after=after)
        return Noop(sheet, "only looked at")
