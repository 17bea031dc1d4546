"""A conflict as it is shown, by `bps merge` and in a review alike (design, "Conflict record")."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bps.merge.records import Conflict, Kind, Notice, Side, Variant


class View(BaseModel):
    """Base of what a merge shows."""

    model_config = ConfigDict(frozen=True)


class VariantView(View):
    """What one version holds at the place of a conflict; `present` tells null from nothing.

    `value` is the data as JSON, `text` its source. `span` is line, column, end line and end
    column, from 1, columns in characters.
    """

    present: bool
    value: Any
    text: str
    span: Annotated[tuple[int, int, int, int] | None, Field(examples=[[12, 5, 13, 1]])]

    @classmethod
    def of(cls, variant: Variant) -> VariantView:
        """From a record."""
        return cls(**variant._asdict())


class SideView(VariantView):
    """One editor's version: a label's or `canonical`'s.

    `base` is what it was forked from, where that is not the conflict's.
    """

    branch: str
    by: str | None
    base: VariantView | None

    @classmethod
    def of_side(cls, side: Side) -> SideView:
        """From a record."""
        base = None if side.base is None else VariantView.of(side.base)
        return cls(branch=side.branch, by=side.by, base=base, **side.variant._asdict())


class ConflictView(View):
    """One place that a person has to decide. `suggestion` is a side, or YAML after `=`."""

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
        return cls(**conflict_fields(conflict))


def conflict_fields(conflict: Conflict) -> dict[str, Any]:
    """The fields of a `ConflictView`, for that and for what shows more beside them."""
    sides = [SideView.of_side(side) for side in conflict.sides]
    return {**conflict._asdict(), "base": VariantView.of(conflict.base), "sides": sides}


class NoticeView(View):
    """Something worth knowing that stops nothing."""

    path: str
    message: str

    @classmethod
    def of(cls, notice: Notice) -> NoticeView:
        """From a record."""
        return cls(**notice._asdict())
