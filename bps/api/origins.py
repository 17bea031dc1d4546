"""What came from where in a version: `bps origins`, and what the service answers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from bps.api.merging import ExplainedView
from bps.plans.cloudevents import rfc3339
from bps.plans.model import Version
from bps.plans.origins import OriginLine, Origins
from bps.review.conflict_view import View

_Side = Literal["before", "after"]
How = Literal["registration", "merge", "taken_over", "revert"]


class OriginSourceView(View):
    """An RR-plan, or the version that a revert went back to; `by` submitted or published it."""

    source: Annotated[str, Field(examples=["EP-42-RR(br66400e4b)-1"])]
    by: str | None


class DecisionView(View):
    """What a reviewer decided of the conflict at `path`: a side, or a value as YAML."""

    path: str
    take: str | None
    text: str | None
    by: str


class OriginView(ExplainedView):
    """One leaf as `bps merge --explain` tells it.

    `absent` names those of `before` and `after` that do not exist, which null alone does not say.
    `cut` names those of `before` and `after` that are not the whole value: a text is the beginning
    of its JSON, null says that there was no room for it.
    """

    absent: Annotated[list[_Side], Field(examples=[[]])]
    cut: Annotated[list[_Side], Field(examples=[[]])]

    @classmethod
    def stored(cls, line: OriginLine) -> OriginView:
        """From the report."""
        return cls(
            path=line.path,
            change=line.change,
            sources=line.sources,
            before=_value(line.before, whole="before" not in line.cut),
            after=_value(line.after, whole="after" not in line.cut),
            absent=[
                *_absent("before", line.before, line.cut),
                *_absent("after", line.after, line.cut),
            ],
            cut=line.cut,
        )


class OriginsView(View):
    """`bps origins`: whose changes made the version of the one before it.

    `how` is `merge`, or `taken_over` where one submission was published as it is; that, a revert
    and the registration have one line, of the whole. `decisions` are those of reviewers that are
    part of it. `left_out` counts changed leaves without one.
    """

    plan: str
    version: str
    base_version: str | None
    how: Annotated[How, Field(examples=["merge"])]
    digest: str
    published_at: str
    published_by: str
    reason: str
    sources: list[OriginSourceView]
    decisions: list[DecisionView]
    explain: list[OriginView]
    left_out: int

    @classmethod
    def of(cls, found: Origins) -> OriginsView:
        """From what was read."""
        version, report = found.version, found.report
        if report is None:
            how, sources = _as_a_whole(found)
            lines, left_out = [_whole(version, sources)], 0
        else:
            how = "merge"
            sources = [OriginSourceView(source=e.source, by=e.by) for e in report.sources]
            lines = [OriginView.stored(line) for line in report.changes]
            left_out = report.left_out
        return cls(
            plan=version.plan,
            version=str(version.version),
            base_version=str(version.version - 1) if version.version > 1 else None,
            how=how,
            digest=version.digest,
            published_at=rfc3339(version.published_ms),
            published_by=version.published_by,
            reason=version.reason,
            sources=sources,
            decisions=[
                DecisionView(path=each.path, take=each.take, text=each.text, by=each.by)
                for each in found.decisions
            ],
            explain=lines,
            left_out=left_out,
        )


def _as_a_whole(found: Origins) -> tuple[How, list[OriginSourceView]]:
    version = found.version
    if version.how == "registration":
        return "registration", []
    if version.reverted_to is not None:
        return "revert", [OriginSourceView(source=f"version {version.reverted_to}", by=None)]
    taken = found.submitted_by.items()
    return "taken_over", [OriginSourceView(source=source, by=by) for source, by in taken]


def _whole(version: Version, sources: list[OriginSourceView]) -> OriginView:
    first = version.how == "registration"
    return OriginView(
        path="",
        change="added" if first else "changed",
        sources=[each.source for each in sources],
        before=None,
        after=None,
        absent=["before"] if first else [],
        cut=["after"] if first else ["before", "after"],
    )


def _absent(name: _Side, stored: str | None, cut: list[_Side]) -> list[_Side]:
    return [name] if stored is None and name not in cut else []


def _value(text: str | None, *, whole: bool) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(text) if whole and text is not None else text
