"""A review as a person needs it: every conflict with all its values, computed anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from bps.candidates.candidate import Attempt
from bps.core.codec import Decimal, Record
from bps.merge.records import Conflict, Side, Variant
from bps.plans.reviews import Review, ReviewFinding, ReviewResolution
from bps.review.unmet import findings_of


class VariantSheet(Record):
    """What one version holds at a place. `value` is JSON, `text` its source; lines count from 1."""

    KIND: ClassVar[str] = "variant_sheet"

    present: bool
    value: Any
    text: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None

    @classmethod
    def of(cls, variant: Variant) -> VariantSheet:
        """From the merge's."""
        span = variant.span
        return cls(
            present=variant.present,
            value=variant.value,
            text=variant.text,
            line=span.line if span else None,
            column=span.column if span else None,
            end_line=span.end_line if span else None,
            end_column=span.end_column if span else None,
        )


class SideSheet(Record):
    """One editor's version: an RR-plan's or `canonical`'s. `base`: where it forked another one."""

    KIND: ClassVar[str] = "side_sheet"

    branch: str
    by: str | None
    variant: VariantSheet
    base: VariantSheet | None

    @classmethod
    def of(cls, side: Side) -> SideSheet:
        """From the merge's."""
        base = None if side.base is None else VariantSheet.of(side.base)
        return cls(branch=side.branch, by=side.by, variant=VariantSheet.of(side.variant), base=base)


class ConflictSheet(Record):
    """One place to decide. `suggestion` is a side, or YAML after `=`; `resolution` so far."""

    KIND: ClassVar[str] = "conflict_sheet"

    id: str
    path: str
    identity: dict[str, Any] | None
    why: str
    base: VariantSheet
    sides: list[SideSheet]
    strategy: str
    suggestion: str | None
    finding: str | None
    resolution: ReviewResolution | None

    @classmethod
    def of(cls, conflict: Conflict, resolution: ReviewResolution | None) -> ConflictSheet:
        """From the merge's."""
        return cls(
            id=conflict.id,
            path=conflict.path,
            identity=conflict.identity,
            why=conflict.kind.value,
            base=VariantSheet.of(conflict.base),
            sides=[SideSheet.of(side) for side in conflict.sides],
            strategy=conflict.strategy,
            suggestion=conflict.suggestion,
            finding=conflict.finding,
            resolution=resolution,
        )


class NoticeSheet(Record):
    """Something worth knowing that stops nothing."""

    KIND: ClassVar[str] = "notice_sheet"

    path: str
    message: str


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
    conflicts: list[ConflictSheet]
    undecided: int
    findings: list[ReviewFinding]
    notices: list[NoticeSheet]
    origins: list[OriginSheet]
    text: str | None
    marked: str | None


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
        review=review,
        etag=review.etag,
        canonical_version=canonical_version,
        claimed_by=review.claimed_by(now_ms),
        waiting=waiting,
        conflicts=[ConflictSheet.of(each, decided.get(each.id)) for each in conflicts],
        undecided=len(after.conflicts) if after else 0,
        findings=findings_of(review.findings, review.resolutions, after) if after else [],
        notices=[
            NoticeSheet(path=each.path, message=each.message)
            for each in (after.notices if after else ())
        ],
        origins=[
            OriginSheet(path=each.path, change=each.change, sources=list(each.sources))
            for each in (after.origins if after else ())
        ],
        text=after.text if after else None,
        marked=after.marked if after else None,
    )
