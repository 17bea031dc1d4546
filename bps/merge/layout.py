"""What stands around an entry that several editors changed; which of equal versions is taken."""

from __future__ import annotations

from collections.abc import Sequence

from bps.merge.comment_text import blanks_behind, end_of_line_comment
from bps.merge.elements import Element
from bps.merge.records import CANONICAL, Kind
from bps.merge.run import Change, Path, Run, lead_variant, versions_in
from bps.merge.slots import Open, Piece, moved
from bps.merge.three_way import picked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def of_equals(changes: Sequence[Change]) -> Element:
    """Of sides that say the same canonical's, else the first by its text."""
    sides = [(each.label, each.side) for each in changes if each.side is not None]
    return min(sides, key=lambda e: (e[0] != CANONICAL, e[1].tile, e[1].gap_text))[1]


def gap_of(changes: Sequence[Change], canonical: Element | None) -> str:
    """The blank lines before an entry."""
    edits = [(e.base.gap_text, e.side.gap_text) for e in changes if e.base and e.side]
    if canonical is None:
        return min((side for base, side in edits if side != base), default="")
    return picked(canonical.gap_text, edits)


def lead_of(
    run: Run,
    path: Path,
    canonical: Element | None,
    changes: Sequence[Change],
    column: int,
    identity: dict[str, Any] | None,
) -> tuple[Piece, ...]:
    """The comment lines before the entry, or the conflict between them."""
    texts = [element.lead_text for element in versions_in(changes)]
    if canonical is not None and all(text == canonical.lead_text for text in texts):
        return (moved(texts[0], column - canonical.column, first_line=True),)
    from bps.merge.comment_blanks import with_line_ends  # noqa: PLC0415 - few edit comments
    from bps.merge.comments import merge_comments, stripped  # noqa: PLC0415

    run.by_rows = False
    edits = list(zip(texts[::2], texts[1::2], strict=True))
    merged = merge_comments(edits)
    versions = [canonical, *(each.side for each in changes)]
    if merged is not None:
        alike = [
            each for each in versions if each is not None and stripped(each.lead_text) == merged
        ]
        if alike:
            # Canonical's layout first, then by content.
            element = min(alike, key=lambda each: (each is not canonical, each.lead_text))
            own = moved(element.lead_text, column - element.column, first_line=True)
            return (with_line_ends(own, edits),)
        margin = " " * column
        lines = "".join(f"{margin}{line}\n" if line else "\n" for line in merged)
        return (with_line_ends(lines, edits),)
    base = changes[0].base
    sides = [(e.label, lead_variant(e.side), lead_variant(e.base)) for e in changes]
    conflict, resolution = run.conflict(
        path, Kind.COMMENT, lead_variant(base), sides, identity=identity
    )
    told = {label: variant.text for label, variant, _ in sides}
    if resolution is None:
        return (Open(conflict, lead_variant(base).text, tuple(told.items())),)
    if resolution.text is not None:
        from bps.merge.typed import comment_lines  # noqa: PLC0415 - only for resolutions

        typed = moved(comment_lines(resolution.text), column, first_line=True)
        return (typed,) if typed else ()
    chosen = versions[0] if resolution.take != "base" else base
    for each in changes:
        if each.label == resolution.take:
            chosen = each.side
    text = "" if chosen is None else chosen.lead_text
    shift = column - (0 if chosen is None else chosen.column)
    return (moved(text, shift, first_line=True),)


def trailing_of(canonical: Element | None, changes: Sequence[Change]) -> str | None:
    """The comment at the end of the entry's line, with the blanks behind it; None in a conflict."""
    versions = versions_in(changes)
    known = {each: end_of_line_comment(each).rstrip() for each in dict.fromkeys(versions)}
    edits = [
        (known[base], known[side]) for base, side in zip(versions[::2], versions[1::2], strict=True)
    ]
    wanted = {side for base, side in edits if base != side}
    if len(wanted) > 1:
        return None
    trailing = wanted.pop() if wanted else edits[0][0]
    if not trailing:
        return trailing
    own, *ends = ["" if e is None else blanks_behind(e, trailing) for e in (canonical, *versions)]
    return trailing + picked(own, list(zip(ends[::2], ends[1::2], strict=True)))
