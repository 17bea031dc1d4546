"""A review as text: place by place, what each version holds and who changed it."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from bps.cli.output import cell, note, printing
from bps.cli.review_sides import changes_of
from bps.plans.cloudevents import rfc3339

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bps.review.conflict_view import VariantView
    from bps.review.results import ReviewResult
    from bps.review.sheet import ReviewedConflict, ReviewSheet
    from bps.writepath.command import Outcome


OVERRIDDEN = "overridden"
"""The code of the findings that a decision counts no more (`bps.review.overridden`)."""
_LOST = frozenset({OVERRIDDEN, "dropped"})
"""With that of those that one was dropped (`bps.review.unmet`)."""
_ROOT = "(root)"
_BRANCH = re.compile(r"br[0-9a-f]{8,40}")


def show_sheet(sheet: ReviewSheet) -> None:
    """Print it. Raises ResultNotShown, BrokenPipeError."""
    with printing():
        for line in _lines(sheet):
            sys.stdout.write(f"{cell(line)}\n")


def list_row(review: BaseModel) -> dict[str, Any]:
    """A `Review` as a row of `bps review list`; all of it is in the JSON form.

    Its record lists the conflicts that were undecided when it was computed last: `conflicts` are
    these, and those that were decided before.
    """
    fields = review.model_dump(mode="json")
    listed = {each["id"] for each in fields["conflicts"]}
    decided = [each["conflict"] for each in fields["resolutions"]]
    before = sum(each not in listed for each in decided)
    return {
        **fields,
        "conflicts": fields["conflicts_total"] + before,
        "decided": len(decided),
        "findings": fields["findings_total"],
    }


def keeps_open(result: ReviewResult) -> bool:
    """Whether something is undecided or objected still, or was decided and counts no more."""
    return bool(result.open_total) or any(
        each.severity == "error" or each.code in _LOST for each in result.findings
    )


def note_of_record(outcome: Outcome[ReviewResult] | None) -> None:
    """Say that an answer lists what was recorded, where it lists anything."""
    if outcome is None or not (outcome.result.open_total or outcome.result.findings_total):
        return
    name = outcome.result.review
    note(
        f"`open` and `findings` are as of when {name} was computed last; "
        f"`bps review show {name}` computes them now"
    )


def _lines(sheet: ReviewSheet) -> Iterator[str]:
    review = sheet.review
    yield f"{review.review}  {review.status.value}  etag {sheet.etag}"
    if sheet.claimed_by is not None and review.claim is not None:
        held = ", and promotions of the plan by others wait" if review.claim.holds else ""
        yield f"claimed by {sheet.claimed_by} until {rfc3339(review.claim.until_ms)}{held}"
    if review.reason:
        yield f"reason: {review.reason}"
    yield f"canonical version {sheet.canonical_version}; waiting: {', '.join(sheet.waiting) or '-'}"
    overridden = {each.path for each in sheet.findings if each.code == OVERRIDDEN}
    for conflict in sheet.conflicts:
        yield from _conflict(conflict, overridden)
    for finding in sheet.findings:
        line = f" line {finding.line}" if finding.line is not None else ""
        place = finding.path or _ROOT
        yield f"{finding.severity}: {finding.source}{line} {place}: {finding.message}"
    for notice in sheet.notices:
        yield f"notice: {notice.path or _ROOT}: {notice.message}"
    if review.is_open:
        count = len(sheet.conflicts)
        yield f"{count} conflict{'' if count == 1 else 's'}, {sheet.undecided} undecided"
        if _keeps_canonical(sheet):
            yield (
                f"the result is canonical version {sheet.canonical_version} as it is: completing "
                "publishes nothing"
            )
        yield f"next: {_next(sheet)}"
    else:
        yield f"what was decided, and by whom: `bps log {review.plan}`"


def _next(sheet: ReviewSheet) -> str:
    """The command that leads on."""
    name = sheet.review.review
    if not sheet.waiting:
        return "nothing waits any more; the next promotion closes this review"
    for conflict in sheet.conflicts:
        if conflict.resolution is None:
            takes = "|".join(["base", *(_short(side.branch) for side in conflict.sides)])
            how = f"--take {takes}, or --set VALUE"
            return f"bps review resolve {name} --conflict {conflict.id[:12]} {how}"
    if sheet.text is None:
        anew = f"bps review resolve {name} --conflict ID --take|--set"
        return (
            f"{anew} to decide anew what is found above, or bps review reject {name} --reason WHY"
        )
    return f"bps review complete {name}"


def _short(label: str) -> str:
    """A side as `--take` takes it, without what a shell would have to be told to leave alone."""
    found = _BRANCH.search(label)
    return label if found is None else found[0]


def _keeps_canonical(sheet: ReviewSheet) -> bool:
    review = sheet.review
    if sheet.text is None or sheet.canonical_version != review.canonical_version:
        return False
    return hashlib.sha256(sheet.text.encode()).hexdigest() == review.canonical_digest


def _conflict(conflict: ReviewedConflict, overridden: Collection[str]) -> Iterator[str]:
    yield f"{conflict.path or _ROOT}  {conflict.kind}  {conflict.id[:12]}"
    if conflict.finding:
        yield f"  {conflict.finding}"
    yield from _variant("base", conflict.base)
    for side in conflict.sides:
        by = f" by {side.by}" if side.by is not None else ""
        absent = "deleted" if conflict.base.present else "absent"
        yield from _variant(f"{side.branch}{by}", side, absent)
        forked = conflict.base if side.base is None else side.base
        yield from (f"    > {line}" for line in changes_of(forked, side))
    if conflict.suggestion is not None:
        yield f"  suggested: {conflict.suggestion}"
    if conflict.resolution is not None:
        decided = conflict.resolution
        what = decided.take if decided.take is not None else f"={decided.text}"
        whether = " (counts no more)" if conflict.path in overridden else ""
        yield f"  decided by {decided.by}: {what}{whether}"


def _variant(name: str, variant: VariantView, absent: str = "absent") -> Iterator[str]:
    where = f" (line {variant.span[0]})" if variant.span is not None else ""
    if not variant.present:
        yield f"  {name}: {absent}"
        return
    lines = variant.text.rstrip("\n").split("\n")
    yield f"  {name}{where}: {lines[0].strip()}"
    for line in lines[1:]:
        yield f"    | {line}"
