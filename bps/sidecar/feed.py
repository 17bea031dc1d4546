"""One watch on the whole store, shared by all that follows it: caches, streams, checkpoints.

Followers hold a position, not a queue: a slow one costs nothing. Recent changes are kept in a ring;
who is behind it catches up by reads of the store's own history, and then joins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from bps.core import keys
from bps.core.errors import BpsError, Compacted
from bps.core.ports import Clock, Key, Store, WatchBatch
from bps.sidecar.past_changes import past_changes
from bps.sidecar.ring import RING_BYTES, Chunk, Ring, kept

HEARTBEAT_S = 1.0
STALE_S = 3.0
"""A view of the store is `warm` only if the store itself answered within this time."""
_RETRY_S = 0.5
_QUIET_RETRY_S = 10.0

_log = logging.getLogger(__name__)

Listener = Callable[[WatchBatch], None]


@dataclass(frozen=True, slots=True)
class _Listening:
    learn: Listener
    forget: Callable[[], None] | None


class Feed:
    """Everything that changes below the root, in order of revisions, each revision once.

    Run `run` as a task. `revision` is the last one delivered; `asked` one that the store was at
    when it last answered a read of ours: whoever has not seen as much cannot tell what is current.
    Cost: one read a second, and one watch.
    """

    def __init__(self, store: Store, clock: Clock, *, ring_bytes: int = RING_BYTES) -> None:
        self._store = store
        self._clock = clock
        self._ring = Ring(ring_bytes)
        self._moved = asyncio.Event()
        self._catching_up = asyncio.Lock()
        self._listeners: list[_Listening] = []
        self._standing = False
        self._gap = True
        self._asked_s = 0.0
        self._complete_s = -STALE_S
        self._restart = asyncio.Event()
        self._tip = 0
        self.revision = 0
        self.asked = 0
        self.rollbacks = 0
        self.ended = False

    @property
    def warm(self) -> bool:
        """The watch stands, and the store answered a read within 3 s.

        The store's adapter mends a broken watch without telling, so that a standing watch may be
        silent for seconds while the store moves on; `current` says that it was not.
        """
        return self._standing and self._clock.monotonic_s() - self._asked_s <= STALE_S

    @property
    def current(self) -> bool:
        """What was learned from the feed is at most 3 s old: it lacked nothing so lately."""
        return self._standing and self._clock.monotonic_s() - self._complete_s <= STALE_S

    @property
    def complete_s(self) -> float | None:
        """When, by the clock, what the feed has seen was all that there was; None: never yet."""
        return self._complete_s if self._complete_s >= 0 else None

    def holds(self, position: int) -> bool:
        """Whether what follows revision `position` is in memory."""
        return 0 < self._ring.floor <= position

    def listen(self, listener: Listener, *, on_gap: Callable[[], None] | None = None) -> None:
        """Call `listener` with each batch before any follower sees it; it must not block or raise.

        `on_gap` is called when changes were missed: all that was learned before is worth nothing.
        It is also called, for this listener alone, if the listener fails.
        """
        self._listeners.append(_Listening(listener, on_gap))

    def restart(self) -> None:
        """Begin anew, as after a gap: somebody knows that the store was rolled back."""
        self._restart.set()

    async def run(self) -> None:
        """Follow the store until cancelled or until it is closed. One read, then one watch."""
        try:
            while True:
                try:
                    await self._follow_store()
                except Compacted as error:
                    self._gap = True
                    _log.warning("the watch begins anew: %s", error.message)
                except BpsError as error:
                    _log.warning("the watch failed: %s", error.message)
                else:
                    return
                finally:
                    self._standing = False
                await self._clock.sleep(_RETRY_S)
        finally:
            self.ended = True
            self._wake()

    async def follow(self, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """All changes from `start_revision` on; a batch without events only moves the position.

        Blobs and operation records are left out. Ends when the store is closed.

        Raises:
            Compacted: the next revision is gone, or the store went back; list again.
        """
        position, rollbacks = start_revision - 1, self.rollbacks
        while not self.ended:
            chunk = await self.read(position, rollbacks)
            for batch in chunk.batches:
                position = batch.revision
                yield batch
            if chunk.position > position:
                position = chunk.position
                yield WatchBatch(position, ())
            await self.wait(position, rollbacks)

    async def read(self, position: int, rollbacks: int | None = None) -> Chunk:
        """The next changes after revision `position`, at most about 64 KiB of them.

        Answers at once where the ring reaches back to `position`. Otherwise a watch is opened, by
        one follower at a time; if the store has nothing to tell, that waits for the next change.

        Raises:
            Compacted: the next revision is gone, or the store went back since it had gone back
                `rollbacks` times; list again.
        """
        await self.wait(0)
        seen = self.revision
        self._check_rollbacks(rollbacks)
        if position < self._ring.floor:
            async with self._catching_up:
                if position < self._ring.floor:
                    chunk = await self._catch_up(position)
                    if chunk is not None:
                        return chunk
            if position < self._ring.floor:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_QUIET_RETRY_S):
                        await self.wait(seen)
                return Chunk((), position)
            self._check_rollbacks(rollbacks)
        return self._ring.read(position, self.revision)

    async def wait(self, position: int, rollbacks: int | None = None) -> None:
        """Wait until something may follow revision `position`, or nothing ever will.

        Returns as well once the store went back more than `rollbacks` times.
        """
        while not self.ended and self.revision <= position:
            if rollbacks is not None and rollbacks != self.rollbacks:
                return
            await self._moved.wait()

    def _check_rollbacks(self, rollbacks: int | None) -> None:
        if rollbacks is not None and rollbacks != self.rollbacks:
            msg = f"The store went back to revision {self.revision}; list again."
            raise Compacted(msg, compact_revision=self.revision)

    async def _follow_store(self) -> None:
        """Anchor where there is a gap, then follow until the watch or the heartbeat ends."""
        if self._gap:
            self._begin(*await self._ask())
        self._standing = True
        await _first_to_end(self._watch(), self._beat(), self._until_restart())

    async def _until_restart(self) -> None:
        await self._restart.wait()
        self._restart.clear()
        self.rollbacks += 1
        raise Compacted("The store went back, whatever its revision is now.")

    async def _watch(self) -> None:
        watch = self._store.watch(keys.ROOT, start_revision=self.revision + 1)
        async with aclosing(watch):
            async for batch in watch:
                self._deliver(batch)

    async def _beat(self) -> None:
        """Ask the store for its revision again and again; silence makes the feed cold."""
        while True:
            await self._clock.sleep(HEARTBEAT_S)
            seen, tip_seen = self.revision, self._tip
            try:
                revision, tip = await self._ask()
            except BpsError:
                continue
            # The tip of the checkpoints only moves on: an older one, or one that we must have seen
            # and did not, is another history, even where its revision is beyond ours.
            if revision < seen or tip < tip_seen or tip_seen < tip <= seen:
                self.rollbacks += 1
                raise Compacted(f"The store went back from revision {seen} to {revision}.")

    async def _ask(self) -> tuple[int, int]:
        """The revisions of the store and of the checkpoints' tip (0: none); a linearizable read."""
        asked_s = self._clock.monotonic_s()
        snapshot = await self._store.snapshot([Key(keys.CHECKPOINT_TIP)])
        self._asked_s, self.asked = asked_s, snapshot.revision
        self._note_complete()
        return snapshot.revision, max((kv.mod_revision for kv in snapshot.answers[0]), default=0)

    def _note_complete(self) -> None:
        """All that the store had when it was last asked has been seen."""
        if not self._gap and self.revision >= self.asked:
            self._complete_s = self._asked_s

    def _begin(self, revision: int, tip: int) -> None:
        self.rollbacks += revision < self.revision
        self._gap = False
        self.revision, self._tip = revision, tip
        self._note_complete()
        self._ring.clear(revision)
        for listening in self._listeners:
            if listening.forget is not None:
                listening.forget()
        self._wake()

    def _deliver(self, batch: WatchBatch) -> None:
        if batch.revision <= self.revision:
            return
        self.revision = batch.revision
        self._tip = _tip_in(batch, self._tip)
        self._note_complete()
        for listening in self._listeners:
            try:
                listening.learn(batch)
            except Exception as error:  # noqa: BLE001 - one listener's bug must not end the feed
                _log.error("a listener failed at revision %d: %r", batch.revision, error)
                if listening.forget is not None:
                    listening.forget()
        self._ring.append(kept(batch))
        self._wake()

    async def _catch_up(self, position: int) -> Chunk | None:
        """Changes from the store's history, until the ring is reached or the chunk is full.

        Where the ring has room for them, it takes them, so that the next who is behind finds them
        there. None: read the ring again, or, where the store told nothing, wait: the next change,
        which passes the ring's floor, misses nothing.
        """
        floor = self._ring.floor
        begun = (floor, self.rollbacks)
        chunk = await past_changes(
            self._store, position, until=floor, max_bytes=self._ring.chunk_bytes
        )
        joins = chunk.position >= floor and begun == (self._ring.floor, self.rollbacks)
        if joins and self._ring.extend_back(chunk.batches, position):
            return None
        return chunk if chunk.position > position else None

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


def _tip_in(batch: WatchBatch, known: int) -> int:
    """The revision of the checkpoints' tip after `batch`; 0 where it was removed."""
    for event in batch.events:
        if event.kv.key == keys.CHECKPOINT_TIP:
            known = 0 if event.deleted else event.kv.mod_revision
    return known


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one ends or fails; the others are cancelled."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
