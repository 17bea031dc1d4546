"""The comments between two entries as lines, where editors divided them into other paragraphs.

Paragraphs are known again by their text or place. Where one was split, joined, added or taken away
by one editor while another one worked in the same place, that says too little: diff3 on the lines
between the two entries knows which of them are whose. Where it does not, they are in conflict.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bps.merge.elements import Element
from bps.merge.named_tuple import NamedTuple
from bps.merge.records import ABSENT, CANONICAL, Kind, Variant
from bps.merge.run import Path, Run
from bps.merge.slots import Open, Slot, moved

Ident = Hashable
Items = dict[Ident, Element]
Editor = tuple[str, Items, Items]
END: Ident = object()
"""The place behind the last entry."""
_Key = tuple[Ident, Ident]


class Region:
    """The blanks and comments before one entry, or at the end, of one version."""

    __slots__ = ("comments", "entry", "source", "start", "text")

    def __init__(self, comments: list[Ident], items: Items, entry: Element | None) -> None:
        self.comments = comments
        self.entry = entry
        first = items[comments[0]] if comments else entry
        last = entry or items[comments[-1]]
        assert first is not None  # noqa: S101 - one of the two is there
        stop = last.end if entry is None else last.source.line_start(last.start)
        self.source = first.source
        self.start = first.gap
        self.text = first.source.text[first.gap : stop]

    def words(self) -> list[str]:
        """Its lines without indent and blank ones."""
        return [line.strip() for line in self.text.split("\n") if line.strip()]

    def variant(self) -> Variant:
        """As conflict records show it; no data."""
        if not self.text.strip():
            return ABSENT
        span = self.source.span(self.start, self.start + len(self.text))
        return Variant(True, None, self.text, span)  # noqa: FBT003

    def paragraphs(self) -> list[int]:
        """By line the paragraph that it stands in; -1 is the one that belongs to the entry."""
        found: list[int] = []
        number = 0
        for line in self.text.split("\n")[:-1]:
            number += not line.strip()
            found.append(number)
        if self.entry is None:
            return found
        return [-1 if each == number else each for each in found]


class ContestedRegion(NamedTuple):
    """A region in which editors (by label, canonical possibly among them) are in conflict."""

    base: Region
    canonical: Region
    sides: list[tuple[str, Region]]


class Regions:
    """The regions that were merged by lines: their texts, and the versions without them.

    `texts` has the merged text by the entry that it stands before, and who changed it; `contested`
    those that editors divided, and changed in the same lines.
    """

    def __init__(self, canonical: Items, editors: Sequence[Editor], column: int) -> None:
        self.texts: dict[Ident, tuple[str, list[str]]] = {}
        self.contested: dict[Ident, ContestedRegion] = {}
        self.canonical = canonical
        self.editors = list(editors)
        if not _divided(canonical, editors):
            return
        versions = {id(each): each for each in (canonical, *(v for e in editors for v in e[1:]))}
        regions = {number: _regions(items, column) for number, items in versions.items()}
        settled: set[_Key] = set()
        for key in regions[id(editors[0][1])]:
            merged = _merged(key, regions, canonical, editors)
            if merged is not None:
                settled.add(key)
                if isinstance(merged, ContestedRegion):
                    self.contested[key[1]] = merged
                else:
                    self.texts[key[1]] = merged
        if not settled:
            return
        bare = {number: _without(versions[number], regions[number], settled) for number in versions}
        self.canonical = bare[id(canonical)]
        self.editors = [(label, bare[id(base)], bare[id(side)]) for label, base, side in editors]


def _divided(canonical: Items, editors: Sequence[Editor]) -> bool:
    """Whether a version has another number of detached comments than a base."""
    counts = {
        sum(item.value is None for item in items.values())
        for items in (canonical, *(items for editor in editors for items in editor[1:]))
    }
    return len(counts) > 1


def _regions(items: Items, column: int) -> dict[_Key, Region]:
    """A version's regions by the entries around them; only those of whole lines at `column`."""
    found: dict[_Key, Region] = {}
    before: Ident = None
    comments: list[Ident] = []
    for ident, item in items.items():
        if item.value is None:
            comments.append(ident)
            continue
        if not (item.inline or item.rooted) and item.column == column:
            found[before, ident] = Region(comments, items, item)
        before, comments = ident, []
    if comments and all(items[each].column == column for each in comments):
        region = Region(comments, items, None)
        if region.text.endswith("\n"):
            found[before, END] = region
    return found


def _merged(
    key: _Key, regions: dict[int, dict[_Key, Region]], canonical: Items, editors: Sequence[Editor]
) -> tuple[str, list[str]] | ContestedRegion | None:
    """The region's text and who changed it; None where its paragraphs are merged one by one."""
    base = regions[id(editors[0][1])][key]
    sides = [(CANONICAL, regions[id(canonical)].get(key))]
    for label, own, side in editors:
        its_base = regions[id(own)].get(key)
        if its_base is None or its_base.text != base.text:
            return None
        sides.append((label, regions[id(side)].get(key)))
    changed: list[tuple[str, Region]] = []
    for label, region in sides:
        if region is None:
            return None
        if region.text != base.text:
            changed.append((label, region))
    if len({region.text for _, region in changed}) <= 1:
        return None
    if all(region.words() == base.words() for _, region in changed):
        return None
    if all(len(region.comments) == len(base.comments) for _, region in changed):
        return None
    from bps.merge.lines import merge_lines, settled_lines, split_lines  # noqa: PLC0415 - rare

    chunks = merge_lines(split_lines(base.text), [split_lines(each.text) for _, each in changed])
    lines = settled_lines(chunks)
    if lines is not None:
        return "".join(lines), [label for label, _ in changed]
    if any(_regrouped(base, region) for _, region in changed):
        return ContestedRegion(base, regions[id(canonical)][key], changed)
    return None


def _regrouped(base: Region, side: Region) -> bool:
    """Whether lines that stood in one paragraph stand in several, or the other way round."""
    from bps.merge.lcs import matches  # noqa: PLC0415 - rare

    before, after = base.paragraphs(), side.paragraphs()
    lines = [each.text.split("\n")[:-1] for each in (base, side)]
    pairs = {(before[i], after[j]) for i, j in matches(*lines) if lines[0][i].strip()}
    olds, news = {old for old, _ in pairs}, {new for _, new in pairs}
    return len(pairs) > min(len(olds), len(news)) or any((i < 0) != (j < 0) for i, j in pairs)


def contested_slot(run: Run, path: Path, contested: ContestedRegion, column: int) -> Slot:
    """The lines in conflict, or what a person decided."""
    base, canonical, changed = contested
    sides = [(label, each.variant(), base.variant()) for label, each in changed]
    conflict, resolution = run.conflict(path, Kind.COMMENT, base.variant(), sides)
    if resolution is None:
        texts = tuple((label, each.text) for label, each in changed)
        return Slot("", (Open(conflict, base.text, texts),), (), is_comment=True)
    if resolution.text is not None:
        blank = "\n" * (base.text[: len(base.text) - len(base.text.lstrip())].count("\n"))
        from bps.merge.typed import comment_lines  # noqa: PLC0415 - only for resolutions

        typed = moved(comment_lines(resolution.text), column, first_line=True)
        behind = "\n" if base.text.endswith("\n\n") else ""
        text = f"{blank}{typed}{behind}" if typed else blank
    elif resolution.take == "base":
        text = base.text
    else:
        text = {label: each.text for label, each in changed}.get(
            resolution.take or "", canonical.text
        )
    return Slot("", (text,), (), is_comment=True)


def _without(items: Items, regions: dict[_Key, Region], settled: set[_Key]) -> Items:
    """The version without the comments of these regions."""
    gone = {ident for key in settled for ident in regions[key].comments}
    bare = {key[1] for key in settled}
    found: Items = {}
    for ident, item in items.items():
        if ident in bare:
            line = item.source.line_start(item.start)
            found[ident] = Element(
                item.source, item.column, line, line, item.start, item.end, item.key, item.value
            )
        elif ident not in gone:
            found[ident] = item
    return found
