"""The recent changes in memory: bounded, read by position, extended at both ends."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from bps.core import keys
from bps.core.ports import WatchBatch, WatchEvent

RING_BYTES = 16 * 2**20
"""Keys and values kept for followers; blobs and operation records are never among them."""
CHUNK_BYTES = 64 * 2**10
"""What one follower holds at a time, so that a slow one pins little."""
_EVENT_OVERHEAD_BYTES = 400
_OPS = keys.ROOT + b"ops/"
_BLOBS = b"/blobs/"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What follows a position: `batches`, and the position that they lead to."""

    batches: tuple[WatchBatch, ...]
    position: int


@dataclass(frozen=True, slots=True)
class _Kept:
    revision: int
    batch: WatchBatch
    size_bytes: int


class Ring:
    """All changes after revision `floor`; 0 before the first `clear`."""

    def __init__(self, max_bytes: int = RING_BYTES) -> None:
        self._max_bytes = max_bytes
        self.chunk_bytes = min(CHUNK_BYTES, max_bytes)
        self._kept: deque[_Kept] = deque()
        self.size_bytes = 0
        self.floor = 0

    def clear(self, floor: int) -> None:
        """Nothing is kept, and nothing happened after `floor`."""
        self._kept.clear()
        self.size_bytes = 0
        self.floor = floor

    def append(self, batch: WatchBatch) -> None:
        """The next changes; what is too much falls off the other end."""
        if not batch.events:
            return
        size = size_of(batch)
        self._kept.append(_Kept(batch.revision, batch, size))
        self.size_bytes += size
        while self.size_bytes > self._max_bytes:
            dropped = self._kept.popleft()
            self.size_bytes -= dropped.size_bytes
            self.floor = dropped.revision

    def extend_back(self, batches: Iterable[WatchBatch], floor: int) -> bool:
        """Take all changes from after revision `floor` up to the present one, if there is room."""
        older = [
            _Kept(batch.revision, batch, size_of(batch))
            for batch in batches
            if batch.events and batch.revision <= self.floor
        ]
        size = sum(kept.size_bytes for kept in older)
        if self.size_bytes + size > self._max_bytes:
            return False
        self._kept.extendleft(reversed(older))
        self.size_bytes += size
        self.floor = floor
        return True

    def read(self, position: int, revision: int) -> Chunk:
        """What follows `position`, which is not below the floor; `revision` is the newest known."""
        start = bisect_right(self._kept, position, key=lambda kept: kept.revision)
        found: list[WatchBatch] = []
        size = 0
        for at in range(start, len(self._kept)):
            if size >= self.chunk_bytes:
                return Chunk(tuple(found), found[-1].revision)
            found.append(self._kept[at].batch)
            size += self._kept[at].size_bytes
        return Chunk(tuple(found), max(position, revision))


def size_of(batch: WatchBatch) -> int:
    """What a batch takes in memory, about."""
    return sum(
        len(event.kv.key) + len(event.kv.value) + _EVENT_OVERHEAD_BYTES for event in batch.events
    )


def kept(batch: WatchBatch) -> WatchBatch:
    """The batch without blobs and operation records, which nobody follows."""
    wanted = tuple(event for event in batch.events if _is_wanted(event))
    return WatchBatch(batch.revision, wanted) if len(wanted) != len(batch.events) else batch


def _is_wanted(event: WatchEvent) -> bool:
    key = event.kv.key
    return not key.startswith(_OPS) and not (key.startswith(keys.PLAN_DATA) and _BLOBS in key)
