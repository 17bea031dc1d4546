"""Chunks of text proven to be one entry each, by libyaml; and parsed where that takes more."""

from __future__ import annotations

import re
from collections.abc import Sequence

from _ruamel_yaml import CParser

from bps.merge.refusals import Unreadable
from bps.merge.source import KEEPS, MAPPING, Source
from bps.merge.stretches import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bps.merge.chunks import Chunk, Level

_EXPLICIT = re.compile(r"\n[ \t-]*+[?:](?:[ \t\n]|\Z)")
_SUSPECTS = (
    # Anchors and aliases; the mark comes first, for a literal beginning is found fast.
    ("&", r"&(?<![A-Za-z0-9_]&)[A-Za-z0-9_-]"),
    ("*", r"\*(?<![A-Za-z0-9_]\*)[A-Za-z0-9_-]"),
    # Any collection at column 24 or deeper: nothing but blanks and dashes stands before it.
    ("\n", r"\n[ -]{24}"),
)
_MOST_BRACKETS = 12
DEEPEST_LEVEL = 8
"""With 24 collections at columns, two more a bracket: less than `parse.MAX_DEPTH`."""
REFUSALS = (Unusual, Unreadable)


def prove(fresh: Sequence[Chunk]) -> int:
    """Have libyaml read each chunk as an entry behind another one; the events of all.

    Raises:
        Unusual: something may mean more than its own entry, or depend on the next; or it is none
            that can be cut here.
        Unreadable: the text is refused.

    Cost: 15 ms a MB.
    """
    if not fresh:
        return 0
    joined = _joined(fresh)
    if ("+" in joined and re.search(KEEPS, joined)) or _EXPLICIT.search(joined):
        raise Unusual
    suspects = [each for mark, each in _SUSPECTS if mark in joined and re.search(each, joined)]
    watched: dict[Level, list[Chunk]] = {}
    for chunk in fresh:
        text = chunk.text
        brackets = text.count("[") + text.count("{")
        # Behind a newline, as in the joined text.
        if brackets > _MOST_BRACKETS or (
            suspects and any(re.search(each, f"\n{text}") for each in suspects)
        ):
            watched.setdefault(chunk.level, []).append(chunk)
    for chunks in watched.values():
        source = build(chunks)
        if source.anchored or source.aliases:
            raise Unusual
    # Behind those with many brackets: libyaml alone is quadratic in how deep they are nested.
    return _events(joined, fresh)


def prove_head(head: str, sentinel: str) -> None:
    """Have libyaml read the lines before a collection's first entry. Raises Unusual."""
    if head:
        count_events(head + sentinel)


def events_of(chunks: Sequence[Chunk]) -> int:
    """The events of entries, without those around them. Raises Unusual."""
    return _events(_joined(chunks), chunks) if chunks else 0


def count_events(text: str) -> int:
    """The events of a text, by libyaml. Raises Unusual where it is no YAML. Cost: 15 ms a MB."""
    try:
        read: int = CParser(text).raw_parse()
    except Exception as error:
        from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - few texts are no YAML

        if isinstance(error, YAMLError):
            raise Unusual from error
        raise
    return read


def forget(chunks: Sequence[Chunk]) -> None:
    """Unsee chunks that could not be proven, the last ones that were seen."""
    for chunk in reversed(chunks):
        del chunk.level.chunks[chunk.text]
        chunk.level.order.pop()


def build(chunks: Sequence[Chunk]) -> Source:
    """Parse chunks of one level, one behind the other; only the last line can lack its end.

    Raises:
        Unreadable: one is nested too deep.
        Unusual: one is not one entry.
    """
    from bps.merge.parse import parse  # noqa: PLC0415 - many entries are told by lines alone

    level, text = chunks[0].level, "".join(chunk.text for chunk in chunks)
    shape, closed = level.shape, text.endswith("\n")
    # Another entry behind them, for the end of a text ends a scalar in another way.
    source = Source("entries", text + shape.sentinel if closed else text)
    document, *more = parse(source, level.depth)
    root, step = document.root, 2 if shape.kind == MAPPING else 1
    if more or root is None or (root.kind, root.column) != (shape.kind, shape.column):
        raise Unusual
    if len(root.children) != step * (len(chunks) + closed):
        raise Unusual
    at = 0
    for index, chunk in enumerate(chunks):
        chunk.take(root.children[index * step : index * step + step], at)
        at += len(chunk.text)
    return source


def _joined(chunks: Sequence[Chunk]) -> str:
    """A document for each chunk: an entry and the chunk behind it."""
    parts: list[str] = []
    for chunk in chunks:
        parts += ("---\n", chunk.level.shape.sentinel, chunk.text)
    # Only the last line of a text can lack its end.
    return "".join(parts)


def _events(joined: str, chunks: Sequence[Chunk]) -> int:
    around = sum(chunk.level.shape.events for chunk in chunks)
    return count_events(joined) - 2 - around
