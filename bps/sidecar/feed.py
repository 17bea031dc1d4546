"""One watch on the whole store, shared by all that follows it: caches, streams, checkpoints.

Followers hold a position, not a queue: a slow one costs nothing. Recent changes are kept in a ring;
who is behind it catches up by a watch of its own, and then joins.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from bps.core import keys
from bps.core.errors import BpsError, Compacted
from bps.core.ports import Clock, Key, Store, WatchBatch, WatchEvent

RING_BYTES = 16 * 2**20
"""Values kept for followers; blobs and operation records are never among them."""
_RETRY_S = 0.5
_OPS = keys.ROOT + b"ops/"
_BLOBS = b"/blobs/"

_log = logging.getLogger(__name__)

Listener = Callable[[WatchBatch], None]


class Feed:
    """Everything that changes below the root, in order of revisions, each revision once.

    Run `run` as a task. `revision` is the last one delivered; `warm` says that the watch stands,
    so that what listeners built from it is at most a moment old.
    """

    def __init__(self, store: Store, clock: Clock, *, ring_bytes: int = RING_BYTES) -> None:
        self._store = store
        self._clock = clock
        self._ring_bytes = ring_bytes
        self._ring: deque[tuple[WatchBatch, int]] = deque()
        self._size = 0
        self._floor = 0
        self._moved = asyncio.Event()
        self._listeners: list[Listener] = []
        self._gap_listeners: list[Callable[[], None]] = []
        self.revision = 0
        self.warm = False
        self.ended = False

    def listen(self, listener: Listener, *, on_gap: Callable[[], None] | None = None) -> None:
        """Call `listener` with each batch before any follower sees it; it must not block or raise.

        `on_gap` is called when changes were missed: all that was learned before is worth nothing.
        """
        self._listeners.append(listener)
        if on_gap is not None:
            self._gap_listeners.append(on_gap)

    async def run(self) -> None:
        """Follow the store until cancelled or until it is closed. One read, then one watch."""
        try:
            while True:
                try:
                    await self._follow_store()
                except Compacted:
                    _log.warning("the watch fell behind a compaction and begins anew")
                except BpsError as error:
                    _log.warning("the watch failed: %s", error.message)
                else:
                    return
                finally:
                    self.warm = False
                await self._clock.sleep(_RETRY_S)
        finally:
            self.ended = True
            self._wake()

    async def follow(self, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """All changes from `start_revision` on; a batch without events only moves the position.

        Blobs and operation records are left out. Ends when the store is closed.

        Raises:
            Compacted: the next revision is gone; list again.
        """
        position = start_revision - 1
        while not self.ended:
            moved = self._moved
            if self._floor == 0:
                await moved.wait()
                continue
            if position < self._floor:
                catching_up = self._catch_up(position + 1)
                async with aclosing(catching_up):
                    async for batch in catching_up:
                        position = batch.revision
                        yield batch
                continue
            revision = self.revision
            for batch in self.since(position):
                position = batch.revision
                yield batch
            position = max(position, revision)
            if moved is self._moved:
                await moved.wait()

    def since(self, position: int) -> list[WatchBatch]:
        """The batches in the ring after revision `position`."""
        found: list[WatchBatch] = []
        for batch, _ in reversed(self._ring):
            if batch.revision <= position:
                break
            found.append(batch)
        return found[::-1]

    async def _follow_store(self) -> None:
        anchor = await self._store.snapshot([Key(keys.SCHEMA)])
        self._begin(anchor.revision)
        watch = self._store.watch(keys.ROOT, start_revision=anchor.revision + 1)
        async with aclosing(watch):
            async for batch in watch:
                self._deliver(batch)

    def _begin(self, revision: int) -> None:
        self._ring.clear()
        self._size = 0
        self._floor = self.revision = revision
        for forget in self._gap_listeners:
            forget()
        self.warm = True
        self._wake()

    def _deliver(self, batch: WatchBatch) -> None:
        for listener in self._listeners:
            listener(batch)
        self.revision = batch.revision
        kept = _kept(batch)
        if kept.events:
            size = sum(len(event.kv.key) + len(event.kv.value) for event in kept.events)
            self._ring.append((kept, size))
            self._size += size
            while self._size > self._ring_bytes:
                dropped, dropped_size = self._ring.popleft()
                self._size -= dropped_size
                self._floor = dropped.revision
        self._wake()

    async def _catch_up(self, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """From the store itself until the ring's oldest revision is passed."""
        watch = self._store.watch(keys.ROOT, start_revision=start_revision)
        async with aclosing(watch):
            async for batch in watch:
                yield _kept(batch)
                if batch.revision >= self._floor:
                    return

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


def _kept(batch: WatchBatch) -> WatchBatch:
    kept = tuple(event for event in batch.events if _is_kept(event))
    return WatchBatch(batch.revision, kept) if len(kept) != len(batch.events) else batch


def _is_kept(event: WatchEvent) -> bool:
    key = event.kv.key
    return not key.startswith(_OPS) and not (key.startswith(keys.PLAN_DATA) and _BLOBS in key)
