"""A review as a person needs it: every conflict with all its values, computed anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bps.candidates.candidate import Attempt
from bps.core.codec import Decimal, Record
from bps.merge.records import Conflict
from bps.plans.reviews import Review, ReviewFinding, ReviewResolution, ReviewStatus
from bps.review.conflict_view import ConflictView, NoticeView, conflict_fields
from bps.review.unmet import findings_of


class ReviewedConflict(ConflictView):
    """One place to decide, and the decision so far."""

    resolution: ReviewResolution | None

    @classmethod
    def with_resolution(
        cls, conflict: Conflict, resolution: ReviewResolution | None
    ) -> ReviewedConflict:
        """From the merge's."""
        return cls(resolution=resolution, **conflict_fields(conflict))


class OriginSheet(Record):
    """Whose version of a changed place is in the result."""

    KIND: ClassVar[str] = "origin_sheet"

    path: str
    change: str
    sources: list[str]


class ReviewSheet(Record):
    """A review with all that is needed to draw a page of it.

    Of an open one everything is as it would be now: `conflicts` are all, decided or not, and
    `findings` are of the result with the decisions so far. `text` is that result where nothing
    stands in its way; else `marked` is, with conflict markers around what is undecided, conflicts
    of kind `semantic` aside; null where nothing can be read. A closed one has none of these.
    """

    KIND: ClassVar[str] = "review_sheet"

    review: Review
    etag: str
    canonical_version: Decimal
    claimed_by: str | None
    waiting: list[str]
    conflicts: list[ReviewedConflict]
    undecided: int
    findings: list[ReviewFinding]
    notices: list[NoticeView]
    origins: list[OriginSheet]
    text: str | None
    marked: str | None


def as_shown(review: Review) -> Review:
    """`review` for a reader: in a completed one nothing is open, which its record does not say.

    That has what was undecided when it was computed last; the events and it are kept as they are.
    """
    if review.status is not ReviewStatus.COMPLETED:
        return review
    nothing = {"conflicts": [], "conflicts_total": 0, "findings": [], "findings_total": 0}
    return review.model_copy(update=nothing)


def sheet_of(
    review: Review,
    canonical_version: int,
    now_ms: int,
    waiting: list[str],
    *,
    conflicts: Sequence[Conflict] = (),
    after: Attempt | None = None,
) -> ReviewSheet:
    """`conflicts` are all, decided or not; `after` is the merge with what was decided."""
    decided = {each.conflict: each for each in review.resolutions}
    return ReviewSheet(
        review=as_shown(review),
        etag=review.etag,
        canonical_version=canonical_version,
        claimed_by=review.claimed_by(now_ms),
        waiting=waiting,
        conflicts=[
            ReviewedConflict.with_resolution(each, decided.get(each.id)) for each in conflicts
        ],
        undecided=len(after.conflicts) if after else 0,
        findings=findings_of(review.findings, review.resolutions, after) if after else [],
        notices=[NoticeView.of(each) for each in (after.notices if after else ())],
        origins=[
            OriginSheet(path=each.path, change=each.change, sources=list(each.sources))
            for each in (after.origins if after else ())
        ],
        text=after.text if after else None,
        marked=after.marked if after else None,
    )
