"""Versions of one text, cut into entries: each entry is proven once, and made when looked at.

Why the nodes are those of a full parse: over a line that begins an entry at the column of its
collection libyaml carries nothing but that column, for there quotes and flow collections are
closed, and block and plain scalars end. So a chunk, the lines from one such line to the next, reads
the same behind any other chunk. libyaml reads each one once, in a document of its own and behind
another entry: an open quote or bracket is an error there, and so is anything that is no entry. It
is just one entry, for the lines that begin one are where it was cut. The lines before a
collection's first entry are read so, too. What could carry over all
the same is Unusual and parsed as a whole: anchors and aliases, explicit keys, `|+`, directives,
several documents, line breaks other than LF. The result is proven a second time: libyaml counts
the events of its whole text, which must be the first text's, less those of the chunks that are
gone, plus those of the new ones.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from bps.merge.chunks import Chunk, Levels, PlainKey
from bps.merge.proof import (
    DEEPEST_LEVEL,
    REFUSALS,
    count_events,
    events_of,
    forget,
    prove,
    prove_head,
)
from bps.merge.source import MAPPING, Document, Source
from bps.merge.stretches import Region, Unusual, prologue_end, region_of
from bps.merge.twins import Piece, Row, Stretched

SMALLEST = 500
"""Characters of a text from which on it is cut; below, parsing it is as cheap."""
LARGE = 4_000
"""Characters of an entry from which on it is cut before anybody looks at it."""
_AROUND = 6
"""Events around the entries of a text that is one collection."""
_HEAD = 3
"""Events of a key and of the collection below it, without those of its entries."""
_BREAKS = ("\r", "\x85", "\u2028", "\u2029", "\ufeff")
_MARKERS = ("---", "...", "%")
"""What a line of directives begins with, or one between two documents."""
_BEFORE_CONTENT = ("-", "#", "\n", " ", "\t")


class Reader:
    """Reads versions of one text."""

    def __init__(self) -> None:
        self._levels = Levels()
        self._first: _Reading | None = None
        self._unusual = False
        self._known: dict[str, list[Document]] = {}

    def known(self, text: str) -> list[Document] | None:
        """What was read of a text before, whichever version it was; None where nothing was."""
        return self._known.get(text)

    def read(self, source: Source) -> list[Document]:
        """As `parse`: the same documents, or the same refusal.

        Raises:
            Unreadable: it is no YAML, or nested too deep.

        Cost: 20 ms a MB for the first text, and for others what is new in them.
        """
        reading = self._cut(source)
        if reading is not None and self._first is None:
            self._first = reading
        return self._kept(source, reading)

    def read_result(self, source: Source) -> list[Document]:
        """As `read`, but nothing new is told without libyaml, which counts the whole text too."""
        self._levels.plain = False
        reading = None if self._first is None else self._cut(source)
        if reading is not None and (self._first is None or not reading.adds_up(self._first)):
            reading = None
        return self._kept(source, reading)

    def _kept(self, source: Source, reading: _Reading | None) -> list[Document]:
        """The documents of a reading, or of a full parse without one. Raises Unreadable."""
        if reading is not None:
            found = [reading.document]
        else:
            from bps.merge.parse import parse  # noqa: PLC0415 - most texts come apart by lines

            found = parse(source)
        self._known[source.text] = found
        return found

    def _cut(self, source: Source) -> _Reading | None:
        """The text in chunks, or None where it has to be parsed."""
        if self._unusual or len(source.text) < SMALLEST:
            return None
        reading = _Reading(source, self._levels)
        try:
            reading.run()
        except REFUSALS:
            # The full parse says what is wrong, with the place in the whole text.
            forget(reading.fresh)
            self._unusual = self._first is None
            return None
        return reading


class _Reading:
    """One pass over a text."""

    def __init__(self, source: Source, levels: Levels) -> None:
        self.fresh: list[Chunk] = []
        self.document: Document
        self._source = source
        self._levels = levels
        self._chunks: Counter[Chunk] = Counter()
        self._heads = 0
        self._events = 0

    def run(self) -> None:
        """Raises Unusual, Unreadable."""
        text = self._source.text
        body = prologue_end(text) if text.startswith(_BEFORE_CONTENT) else 0
        if any(each in text for each in _BREAKS):
            raise Unusual
        region = region_of(text, body, len(text))
        if region is None:
            raise Unusual
        # In a mapping at the margin every such line looks like an entry, and is found as one.
        if region[:2] != (MAPPING, 0) and any(text.find(f"\n{e}", body) >= 0 for e in _MARKERS):
            raise Unusual
        chunks: list[Chunk] = []
        root = self._collection(region, 0, 0, len(text), chunks)
        self._events = prove(self.fresh)
        self._chunks = Counter(chunks)
        self.document = document = Document(self._source, 0, body)
        document.body_end = len(text)
        document.root = root

    def adds_up(self, first: _Reading) -> bool:
        """Whether the whole text has the events that the entries of the first one tell."""
        # What a text has for the first time has been read once already.
        once = Counter(first._chunks.keys()), Counter(self.fresh)
        come = Counter(_more(self._chunks, first._chunks))
        entries = first._events + events_of(_more(first._chunks, once[0]))
        entries += self._events + events_of(_more(come, once[1]))
        entries -= events_of(_more(first._chunks, self._chunks))
        try:
            read = count_events(self._source.text)
        except Unusual:
            return False
        return read == _AROUND + _HEAD * self._heads + entries

    def _collection(
        self, region: Region, depth: int, start: int, end: int, chunks: list[Chunk]
    ) -> Stretched:
        """The collection of the lines from `start`, where what holds it begins, to `end`."""
        text = self._source.text
        level = self._levels.at(region, depth)
        shape = level.shape
        begins = shape.begins(text, region.at, end)
        if depth == 0 and any(text.startswith(_MARKERS, begin) for begin in begins):
            raise Unusual
        # What stands before the first entry is in no chunk.
        prove_head(text[start : begins[0]], shape.sentinel)
        pieces: list[Piece] = []
        smallest, known = LARGE if depth < DEEPEST_LEVEL else len(text) + 1, level.chunks
        order, place = level.order, -1
        for begin, stop in pairwise([*begins, end]):
            if stop - begin >= smallest:
                inner = shape.opened(text, begin, stop)
                name = shape.key(text, begin)
                if inner is not None and name is not None:
                    self._heads += 1
                    line = text[begin : text.find("\n", begin)]
                    found = self._collection(inner, depth + 1, begin, stop, chunks)
                    pieces.append(Piece(PlainKey(line, shape.column, name), found))
                    continue
            # Versions mostly repeat each other: comparing with what followed before is quickest.
            place += 1
            chunk = order[place] if place < len(order) else None
            if (
                chunk is None
                or len(chunk.text) != stop - begin
                or not text.startswith(chunk.text, begin)
            ):
                lines = text[begin:stop]
                chunk = known.get(lines) or level.add(lines, self.fresh)
                place = chunk.place
            chunks.append(chunk)
            pieces.append(chunk)
        return Stretched(self._source, region.kind, region.column, Row(begins, pieces))


def _more(chunks: Counter[Chunk], others: Counter[Chunk]) -> list[Chunk]:
    """What stands more often among the first, as many times; a last line without its end last."""
    differing = chunks.items() - others.items()
    found = [chunk for chunk, count in differing for _ in range(count - others[chunk])]
    return sorted(found, key=lambda chunk: not chunk.text.endswith("\n"))
