"""Three versions of any text merged by lines, as git merges them without a driver."""

from __future__ import annotations

from bps.cli.merge_run import OURS, THEIRS
from bps.merge.lines import Contested, Settled, merge_lines, split_lines
from bps.merge.markers import USUAL, Markers
from bps.merge.records import CANONICAL


def by_lines(
    base: bytes, ours: bytes, theirs: bytes, *, markers: Markers = USUAL
) -> tuple[bytes, bool]:
    """Merge any text as git does without a driver, by diff3 on lines.

    Returns the result, and whether it has conflicts.

    Bytes that are not UTF-8 come through as they are. Conflict markers end as A's first line does.
    """
    texts = [data.decode("utf-8", "surrogateescape") for data in (base, ours, theirs)]
    first, *sides = [split_lines(text) for text in texts]
    end = "\r\n" if texts[1].partition("\n")[0].endswith("\r") else "\n"
    chunks = merge_lines(first, sides)
    result = "".join(_chunk(chunk, end, markers) for chunk in chunks)
    contested = any(isinstance(chunk, Contested) for chunk in chunks)
    return result.encode("utf-8", "surrogateescape"), contested


def _chunk(chunk: Settled | Contested, end: str, markers: Markers) -> str:
    if isinstance(chunk, Settled):
        return "".join(chunk.lines)
    ours, theirs = (_lines(side, end) for side in chunk.sides)
    return (
        f"{markers.line('<', OURS, end)}{ours}"
        f"{markers.line('|', CANONICAL, end)}{_lines(chunk.base, end)}"
        f"{markers.line('=', end=end)}{theirs}{markers.line('>', THEIRS, end)}"
    )


def _lines(lines: list[str], end: str) -> str:
    text = "".join(lines)
    return text if not text or text.endswith("\n") else f"{text}{end}"
