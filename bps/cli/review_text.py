"""A review as text: place by place, what each version holds and who changed it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bps.cli.output import cell, printing
from bps.cli.review_sides import changes_of

if TYPE_CHECKING:
    from bps.review.sheet import ConflictSheet, ReviewSheet, VariantSheet


def show_sheet(sheet: ReviewSheet) -> None:
    """Print it. Raises ResultNotShown, BrokenPipeError."""
    with printing():
        for line in _lines(sheet):
            sys.stdout.write(f"{cell(line)}\n")


def _lines(sheet: ReviewSheet) -> Iterator[str]:
    review = sheet.review
    yield f"{review.review}  {review.status.value}  etag {sheet.etag}"
    if sheet.claimed_by is not None:
        yield f"claimed by {sheet.claimed_by}"
    if review.reason:
        yield f"reason: {review.reason}"
    yield f"canonical version {sheet.canonical_version}; waiting: {', '.join(sheet.waiting) or '-'}"
    for conflict in sheet.conflicts:
        yield from _conflict(conflict)
    for finding in sheet.findings:
        line = f" line {finding.line}" if finding.line is not None else ""
        yield f"{finding.severity}: {finding.source}{line} {finding.path}: {finding.message}"
    for notice in sheet.notices:
        yield f"notice: {notice.path}: {notice.message}"
    if review.is_open:
        count = len(sheet.conflicts)
        yield f"{count} conflict{'' if count == 1 else 's'}, {sheet.undecided} undecided"
        yield f"next: {_next(sheet)}"


def _next(sheet: ReviewSheet) -> str:
    """The command that leads on."""
    name = sheet.review.review
    if not sheet.waiting:
        return "nothing waits any more; the next promotion closes this review"
    for conflict in sheet.conflicts:
        if conflict.resolution is None:
            how = "--take base|canonical|BRANCH, or --set VALUE"
            return f"bps review resolve {name} --conflict {conflict.id[:12]} {how}"
    if sheet.text is None:
        return f"bps review reject {name}, or mend what is found above in a new fix"
    return f"bps review complete {name}"


def _conflict(conflict: ConflictSheet) -> Iterator[str]:
    yield f"{conflict.path or '(root)'}  {conflict.why}  {conflict.id[:12]}"
    if conflict.finding:
        yield f"  {conflict.finding}"
    yield from _variant("base", conflict.base)
    for side in conflict.sides:
        by = f" by {side.by}" if side.by is not None else ""
        absent = "deleted" if conflict.base.present else "absent"
        yield from _variant(f"{side.branch}{by}", side.variant, absent)
        forked = conflict.base if side.base is None else side.base
        yield from (f"    > {line}" for line in changes_of(forked, side.variant))
    if conflict.suggestion is not None:
        yield f"  suggested: {conflict.suggestion}"
    if conflict.resolution is not None:
        decided = conflict.resolution
        what = decided.take if decided.take is not None else f"={decided.text}"
        yield f"  decided by {decided.by}: {what}"


def _variant(name: str, variant: VariantSheet, absent: str = "absent") -> Iterator[str]:
    where = f" (line {variant.line})" if variant.line is not None else ""
    if not variant.present:
        yield f"  {name}: {absent}"
        return
    lines = variant.text.rstrip("\n").split("\n")
    yield f"  {name}{where}: {lines[0].strip()}"
    for line in lines[1:]:
        yield f"    | {line}"
