"""What came from where, short enough to be stored with each promotion, and honest about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from bps.merge.explain import ADDED, CONFLICT, DELETED, REWRITTEN, Line

MAX_ROWS_BYTES = 32_768
"""What all rows take at most, as UTF-8 JSON without blanks."""
VALUE_CHARS = 120
"""What is stored of one value at most, in characters of its JSON text."""

BEFORE, AFTER = "before", "after"


class Row(NamedTuple):
    """A `Line` with `before` and `after` as JSON texts, None where there is no value.

    `cut` names those of the two that are not whole: the text ends after 120 characters, or is None
    because there was no room for it.
    """

    path: str
    change: str
    sources: tuple[str, ...]
    before: str | None
    after: str | None
    cut: tuple[str, ...]


class Rows(NamedTuple):
    """Some lines' rows, in the lines' order; `left_out` counts the lines that have none."""

    rows: tuple[Row, ...]
    left_out: int


def compact(lines: Sequence[Line]) -> Rows:
    """Rows of at most 32,768 bytes together: of as many lines as fit, then with values.

    Cost: 20 us a line.
    """
    room = MAX_ROWS_BYTES
    kept: list[tuple[Row, Line]] = []
    for line in lines:
        row = _bare(line)
        size = _size_bytes(row)
        if size <= room:
            room -= size
            kept.append((row, line))
    rows = []
    for bare, line in kept:
        row = _with_values(line)
        needed = _size_bytes(row) - _size_bytes(bare)
        fits = needed <= room
        room -= needed if fits else 0
        rows.append(row if fits else bare)
    return Rows(tuple(rows), len(lines) - len(rows))


def _bare(line: Line) -> Row:
    return Row(line.path, line.change, line.sources, None, None, _valued(line))


def _valued(line: Line) -> tuple[str, ...]:
    """Those of before and after that the line has."""
    before = () if line.change in {ADDED, REWRITTEN} else (BEFORE,)
    after = () if line.change in {DELETED, REWRITTEN, CONFLICT} else (AFTER,)
    return tuple(name for name in (*before, *after) if name not in line.absent)


def _with_values(line: Line) -> Row:
    valued = _valued(line)
    before = _json(line.before) if BEFORE in valued else None
    after = _json(line.after) if AFTER in valued else None
    texts = {BEFORE: before, AFTER: after}
    return Row(
        line.path,
        line.change,
        line.sources,
        None if before is None else before[:VALUE_CHARS],
        None if after is None else after[:VALUE_CHARS],
        tuple(name for name, text in texts.items() if text and len(text) > VALUE_CHARS),
    )


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, ensure_ascii=False)


def _size_bytes(row: Row) -> int:
    text = json.dumps(row._asdict(), ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass")) + 1
