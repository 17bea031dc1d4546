"""`bps review show --result`: the text that completing a review would publish."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bps.cli.output import note, printing
from bps.core.errors import WrongState

if TYPE_CHECKING:
    from bps.review.sheet import ReviewSheet

_SEMANTIC = "semantic"


def show_result(sheet: ReviewSheet) -> None:
    """Print it as it is, and on stderr what is undecided or objected in it.

    Raises:
        WrongState: there is none, as the review has ended or its versions cannot be read.
        ResultNotShown, BrokenPipeError: it could not be printed.
    """
    text = sheet.text if sheet.text is not None else sheet.marked
    if text is None:
        raise _nothing(sheet)
    with printing():
        sys.stdout.write(text)
    for line in _said(sheet):
        note(f"{sheet.review.review}: {line}")


def _said(sheet: ReviewSheet) -> list[str]:
    if sheet.text is not None:
        return [f"completing it publishes this on canonical version {sheet.canonical_version}"]
    said = []
    if sheet.undecided:
        counted = "1 conflict is" if sheet.undecided == 1 else f"{sheet.undecided} conflicts are"
        said.append(f"{counted} undecided, which can bring up more; the rest is as it would be")
    said += [
        f"no markers, but undecided: {each.path or 'the root'}: {each.finding}"
        for each in sheet.conflicts
        if each.kind == _SEMANTIC and each.resolution is None
    ]
    said += [
        f"objected by {each.source}: {each.path or 'the root'}: {each.message}"
        for each in sheet.findings
        if each.severity == "error"
    ]
    return said


def _nothing(sheet: ReviewSheet) -> WrongState:
    review = sheet.review
    name = review.review
    errors = [each.message for each in sheet.findings if each.severity == "error"]
    if not review.is_open:
        why, advice = f"it is {review.status.value}.", f"See the versions: `bps log {review.plan}`."
    elif not sheet.waiting:
        why, advice = "nothing of it waits any more.", "The next promotion closes it."
    else:
        why = " ".join(errors) or "its versions cannot be merged."
        advice = f"See what there is to decide: `bps review show {name}`."
    msg = f"{name} has no result: {why}"
    return WrongState(msg, review=name, state=review.status.value).advising(advice)
