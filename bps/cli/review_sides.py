"""What one side of a conflict changed, in a few lines: the text alone is hard to compare by eye."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bps.cli.comparison import Compared
    from bps.review.conflict_view import VariantView

MAX_COMPARED_CHARS = 20_000
"""Longer texts are shown, and not compared: that would take seconds for each side."""


def changes_of(base: VariantView, side: VariantView) -> Iterator[str]:
    """How `side` differs from `base` inside of a collection or of a text of several lines.

    Nothing where one of them is absent or the two can be taken in at a glance. Cost: deepdiff.
    """
    if not (base.present and side.present) or type(base.value) is not type(side.value):
        return
    if not (_large(base.value) or _large(side.value)):
        return
    if len(base.text) + len(side.text) > MAX_COMPARED_CHARS:
        yield "(too long to be compared here)"
        return
    from bps.cli.comparison import compare_values  # noqa: PLC0415 - heavy

    for found in compare_values(base.value, side.value):
        yield from _told(found)


def _large(value: object) -> bool:
    return isinstance(value, dict | list) or (isinstance(value, str) and "\n" in value)


def _told(found: Compared) -> Iterator[str]:
    change, row = found.change, found.change.row()
    what = f"{change.kind} {change.path}".rstrip()
    if found.lines:
        yield f"{what}:"
        yield from (f"  {line}" for line in found.lines)
    elif change.kind == "changed":
        yield f"{what}: {row['before']} -> {row['after']}"
    else:
        yield f"{what}: {row['after' if change.kind == 'added' else 'before']}"
