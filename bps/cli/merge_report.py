"""`bps merge --format json` and `--explain`: what a merge did, for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bps.merge.explain import ADDED, CONFLICT, DELETED, REWRITTEN, Line, explain
from bps.merge.records import Contribution, Merged

_SHOWN_CHARS = 60


def as_json(base: str, sides: Sequence[Contribution], merged: Merged, *, explained: bool) -> str:
    """The merge as JSON; `explain` is filled where `explained`."""
    from bps.api.merging import MergeView  # noqa: PLC0415 - takes longer than the merge

    lines = explain(base, sides, merged) if explained else None
    return MergeView.of(merged, lines).model_dump_json(indent=2) + "\n"


def as_table(base: str, sides: Sequence[Contribution], merged: Merged) -> str:
    """The explanation as aligned columns, a line for each leaf; long values are cut visibly."""
    rows = [("PATH", "CHANGE", "FROM", "BEFORE", "AFTER")]
    rows += [_row(line) for line in explain(base, sides, merged)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


def _row(line: Line) -> tuple[str, str, str, str, str]:
    before = "-" if line.change in {ADDED, REWRITTEN} else _shown(line.before)
    after = "-" if line.change in {DELETED, REWRITTEN, CONFLICT} else _shown(line.after)
    return _printable(line.path or '""'), line.change, ", ".join(line.sources) or "-", before, after


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _SHOWN_CHARS:
        text = f"{text[:_SHOWN_CHARS]}... ({len(text)} characters)"
    return _printable(text)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
