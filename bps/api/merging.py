"""What a merge prints: its result, or its conflicts as records that a page can be drawn from."""

from __future__ import annotations

from typing import Any, Literal

from bps.merge.explain import Line
from bps.merge.records import Merged
from bps.review.conflict_view import ConflictView, NoticeView, View


class ExplainedView(View):
    """One leaf that the merge changed, and whose change it is."""

    path: str
    change: str
    sources: list[str]
    before: Any
    after: Any

    @classmethod
    def of(cls, line: Line) -> ExplainedView:
        """From an explanation."""
        fields = {**line._asdict(), "sources": list(line.sources)}
        del fields["absent"]
        return cls(**fields)


class MergeView(View):
    """`bps merge`: `text` is the result, or null while `conflicts` are open.

    `marked` is then the text with conflict markers, else null; `explain` is null without --explain.
    """

    status: Literal["clean", "conflict"]
    text: str | None
    marked: str | None
    conflicts: list[ConflictView]
    notices: list[NoticeView]
    explain: list[ExplainedView] | None

    @classmethod
    def of(cls, merged: Merged, lines: list[Line] | None) -> MergeView:
        """From the outcome of a merge and its explanation."""
        return cls(
            status="conflict" if merged.text is None else "clean",
            text=merged.text,
            marked=merged.marked if merged.text is None else None,
            conflicts=[ConflictView.of(each) for each in merged.conflicts],
            notices=[NoticeView.of(each) for each in merged.notices],
            explain=None if lines is None else [ExplainedView.of(each) for each in lines],
        )
