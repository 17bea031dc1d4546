"""Keys in byte order: inserting and ranging stay cheap at a million keys."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

_MAX_CHUNK = 1024


class SortedKeys:
    """A set of keys in ascending order, kept as sorted chunks of at most 1,024 keys.

    Adding and discarding cost one chunk, not the whole list; ranging costs what it yields.
    """

    def __init__(self) -> None:
        self._chunks: list[list[bytes]] = []
        self._lasts: list[bytes] = []

    def add(self, key: bytes) -> None:
        """Add a key that is not in the set."""
        if not self._chunks:
            self._chunks.append([key])
            self._lasts.append(key)
            return
        at = min(bisect_left(self._lasts, key), len(self._chunks) - 1)
        chunk = self._chunks[at]
        insort(chunk, key)
        if len(chunk) > _MAX_CHUNK:
            half = len(chunk) // 2
            self._chunks.insert(at + 1, chunk[half:])
            del chunk[half:]
            self._lasts.insert(at, chunk[-1])
            self._lasts[at + 1] = self._chunks[at + 1][-1]
        else:
            self._lasts[at] = chunk[-1]

    def discard(self, key: bytes) -> None:
        """Take out a key that is in the set."""
        at = bisect_left(self._lasts, key)
        chunk = self._chunks[at]
        del chunk[bisect_left(chunk, key)]
        if chunk:
            self._lasts[at] = chunk[-1]
        else:
            del self._chunks[at]
            del self._lasts[at]

    def ascending(self, start: bytes, end: bytes | None) -> Iterator[bytes]:
        """The keys of [start, end); an `end` of None is open."""
        first = bisect_left(self._lasts, start)
        for at in range(first, len(self._chunks)):
            chunk = self._chunks[at]
            begin = bisect_left(chunk, start) if at == first else 0
            if end is not None and self._lasts[at] >= end:
                yield from chunk[begin : bisect_left(chunk, end)]
                return
            yield from chunk[begin:]

    def descending(self, start: bytes, end: bytes | None) -> Iterator[bytes]:
        """The same keys, the last first."""
        last = len(self._chunks) - 1
        if end is not None:
            last = min(bisect_left(self._lasts, end), last)
        for at in range(last, -1, -1):
            chunk = self._chunks[at]
            stop = len(chunk) if end is None else bisect_left(chunk, end)
            begin = bisect_left(chunk, start)
            yield from reversed(chunk[begin:stop])
            if begin > 0:
                return
