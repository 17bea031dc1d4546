"""What a merge prints: its result, or its conflicts as records that a page can be drawn from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bps.merge.explain import Line
from bps.merge.records import Conflict, Kind, Merged, Notice, Side, Variant


class View(BaseModel):
    """Base of what is printed here."""

    model_config = ConfigDict(frozen=True)


class VariantView(View):
    """What one version holds at the place of a conflict; `present` tells null from nothing.

    `span` is line, column, end line and end column, from 1, columns in characters.
    """

    present: bool
    value: Any
    text: str
    span: tuple[int, int, int, int] | None

    @classmethod
    def of(cls, variant: Variant) -> VariantView:
        """From a record."""
        return cls(**variant._asdict())


class SideView(View):
    """One editor's variant. `base` is what it was forked from, where that is not the conflict's."""

    branch: str
    by: str | None
    variant: VariantView
    base: VariantView | None

    @classmethod
    def of(cls, side: Side) -> SideView:
        """From a record."""
        base = None if side.base is None else VariantView.of(side.base)
        return cls(branch=side.branch, by=side.by, variant=VariantView.of(side.variant), base=base)


class ConflictView(View):
    """One place that a person has to decide."""

    id: str
    path: str
    identity: dict[str, Any] | None
    kind: Kind
    base: VariantView
    sides: list[SideView]
    strategy: str
    suggestion: str | None
    finding: str | None

    @classmethod
    def of(cls, conflict: Conflict) -> ConflictView:
        """From a record."""
        sides = [SideView.of(side) for side in conflict.sides]
        return cls(**{**conflict._asdict(), "base": VariantView.of(conflict.base), "sides": sides})


class NoticeView(View):
    """Something worth knowing that stops nothing."""

    path: str
    message: str

    @classmethod
    def of(cls, notice: Notice) -> NoticeView:
        """From a record."""
        return cls(**notice._asdict())


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
        return cls(**{**line._asdict(), "sources": list(line.sources)})


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
