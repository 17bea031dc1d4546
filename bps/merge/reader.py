"""Versions of one text: the first is parsed, of the others only what is new in them.

Why the nodes are those of a full parse: over a line that begins an entry at the column of its
collection libyaml carries nothing but that column, for there quotes and flow collections are
closed, and block and plain scalars end. So a chunk reads the same behind any other chunk, and each
was read once by libyaml as exactly one entry between two such lines. What could carry over all the
same is Unusual and parsed as a whole: anchors and aliases, explicit keys, `|+`, directives,
several documents, line breaks other than LF. As a second proof libyaml counts the events of the
whole text: they must be the known text's, less those of the chunks that are gone, plus those of
the new ones.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import accumulate, pairwise

from _ruamel_yaml import CParser
from ruamel.yaml.error import YAMLError

from bps.merge.parse import Document, parse
from bps.merge.refusals import Unreadable
from bps.merge.source import MAPPING, SEQUENCE, Node, Source
from bps.merge.stretches import SMALLEST, Collection, Unusual, begins_of, entries_of
from bps.merge.twins import Chunk, Stretched, Twin

_WRAPPING = 6
"""Events around the entries of a text that is one collection."""
_SENTINELS = {MAPPING: "z: z\n", SEQUENCE: "- z\n"}
"""An entry that ends the one before it."""
_BREAKS = ("\r", "\x85", "\u2028", "\u2029", "\ufeff")
_MARKERS = ("---", "...", "%")
_KEEP = re.compile(r"[|>][0-9]?\+")
_EXPLICIT_KEY = re.compile(r"(?:\A|\n)[ \t]*(?:-[ \t]+)*\?(?:[ \t\n]|\Z)")


class Reader:
    """Reads versions of one text."""

    def __init__(self) -> None:
        self._first: Document | None = None
        self._known: _Known | None = None
        self._unusual = False

    def read(self, source: Source) -> list[Document]:
        """As `parse`: the same documents, or the same refusal.

        Raises:
            Unreadable: it is no YAML, or nested too deep.

        Cost: 0.1 s a MB for the first text, 30 ms for one that has most entries in common.
        """
        if self._unusual or len(source.text) < SMALLEST:
            return parse(source)
        if self._first is None:
            documents = parse(source)
            self._first = documents[0]
            self._unusual = len(documents) > 1
            return documents
        try:
            if self._known is None:
                self._known = _Known(self._first)
            return [_Reading(source, self._known).document()]
        except Unusual:
            self._unusual = self._known is None
        except (Unreadable, YAMLError):
            pass  # The full parse says it with the place in the whole text.
        return parse(source)


class _Known:
    """The first text: its collections as chunks, and its number of events."""

    def __init__(self, document: Document) -> None:
        """Raises Unusual."""
        source, body = document.source, document.body
        text = source.text
        self.prologue = text[:body]
        if document.root is None or "%" in self.prologue:
            raise Unusual
        if self.prologue and not self.prologue.endswith("\n"):
            raise Unusual
        _refuse_unusual(text, body)
        _refuse_carrying(source)
        self.root = Collection(document.root, body, len(text), 0)
        document.root = self.root.node
        self.events = CParser(text).raw_parse()


class _Reading:
    """One pass over another text."""

    def __init__(self, source: Source, known: _Known) -> None:
        self._source = source
        self._known = known
        self._expected = known.events

    def document(self) -> Document:
        """Raises Unusual, Unreadable, YAMLError."""
        text, prologue = self._source.text, self._known.prologue
        body = len(prologue)
        if not text.startswith(prologue):
            raise Unusual
        _refuse_unusual(text, body)
        document = Document(self._source, 0, body)
        document.body_end = len(text)
        document.root = self._collection(self._known.root, body, len(text))
        if CParser(text).raw_parse() != self._expected:
            raise Unusual
        return document

    def _collection(self, collection: Collection, at: int, end: int) -> Stretched:
        text = self._source.text
        begins = begins_of(text, at, end, collection.kind, collection.column)
        texts = [text[i:j] for i, j in pairwise([*begins, end])]
        counted = Counter(texts)
        gone, come = collection.counted - counted, counted - collection.counted
        chunks: list[Chunk | None] = [collection.known.get(each) for each in texts]
        opened: dict[int, Node] = {}
        fresh = []
        for index, chunk in enumerate(chunks):
            if chunk is None:
                inner = collection.inner(texts[index])
                if inner is None or not gone[inner.text]:
                    fresh.append(index)
                    continue
                gone[inner.text] -= 1
                come[texts[index]] -= 1
                first = begins[index] + inner.head
                stop = begins[index] + len(texts[index])
                opened[index] = self._collection(inner.collection, first, stop)
                # A chunk of its own, for its lines are shared out in another way.
                chunks[index] = Chunk(inner.chunk.at, inner.chunk.key, inner.chunk.value)
        if fresh:
            self._parse(collection, fresh, texts, chunks)
        self._expected += _events(come) - _events(gone)
        children: list[Node] = []
        known = []
        for index, (begin, chunk) in enumerate(zip(begins, chunks, strict=True)):
            assert chunk is not None  # noqa: S101 - all were found, opened or parsed
            known.append(chunk)
            if chunk.key is not None:
                children.append(Twin(chunk.key, self._source, begin - chunk.at))
            children.append(opened.get(index) or Twin(chunk.value, self._source, begin - chunk.at))
        kind, column = collection.kind, collection.column
        return Stretched(self._source, kind, column, begins, known, children)

    def _parse(
        self,
        collection: Collection,
        fresh: list[int],
        texts: list[str],
        chunks: list[Chunk | None],
    ) -> None:
        """Parse the new chunks, joined to one text, and know them from now on."""
        new = [texts[index] for index in fresh]
        if 2 * sum(map(len, new)) > len(self._source.text):
            raise Unusual
        joined = "".join(new)
        if joined.endswith("\n"):
            joined += " " * collection.column + _SENTINELS[collection.kind]
            new.append("")
        source = Source("new entries", joined)
        document, *more = parse(source, collection.depth)
        root = document.root
        if more or root is None or (root.kind, root.column) != (collection.kind, collection.column):
            raise Unusual
        _refuse_carrying(source)
        begins = list(accumulate(map(len, new), initial=0))[: len(new)]
        pairs = entries_of(root, begins, len(joined))
        for index, begin, (key, value) in zip(fresh, begins, pairs, strict=False):
            chunk = chunks[index] = Chunk(begin, key, value)
            if texts[index].endswith("\n"):
                collection.known[texts[index]] = chunk


def _events(texts: Counter[str]) -> int:
    """The events of entries that stand in one column."""
    joined = "".join(each if each.endswith("\n") else f"{each}\n" for each in texts.elements())
    return CParser(joined).raw_parse() - _WRAPPING if joined else 0


def _refuse_unusual(text: str, body: int) -> None:
    """Raises Unusual where there may be several documents, or other line breaks than LF."""
    if any(each in text for each in _BREAKS) or text.startswith(_MARKERS, body):
        raise Unusual
    if any(text.find(f"\n{each}", body) >= 0 for each in _MARKERS):
        raise Unusual


def _refuse_carrying(source: Source) -> None:
    """Raises Unusual where something may mean more than its own entry, or depend on the next."""
    text = source.text
    keeps = "+" in text and _KEEP.search(text)
    if source.anchored or source.aliases or keeps or ("?" in text and _EXPLICIT_KEY.search(text)):
        raise Unusual
