"""The events of plans as they happen: encoded once, read by position, of one plan or of all.

A cursor says where its reader is, so that it can go on elsewhere: in all plans `{revision}-{index}`
(the first `index` events of that revision and all before are read), in one plan the event's seq.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import Compacted, InvalidInput, StoreRolledBack
from bps.core.ports import Key, Store, WatchBatch
from bps.replay.log import PinnedLog, pin
from bps.sidecar.feed import Feed
from bps.sidecar.published import PublishedEvent, events_of, published

_PAGE_EVENTS = 64
"""Few, as each reader holds a page."""
_CACHED_REVISIONS = 1_024
_CACHED_BYTES = 4 * 2**20


class Events:
    """Turns what the feed tells into events, each once for all readers."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self.store = store
        self.feed = feed
        self._cached: OrderedDict[int, tuple[WatchBatch, tuple[PublishedEvent, ...]]]
        self._cached = OrderedDict()
        self._cached_bytes = 0

    def of(self, batch: WatchBatch) -> tuple[PublishedEvent, ...]:
        """The new events in `batch`, by plan and seq. About 50 us an event, the first time."""
        cached = self._cached.get(batch.revision)
        if cached is not None and cached[0] == batch:
            return cached[1]
        events = events_of(batch)
        self._remember(batch, events)
        return events

    async def all_from(self, after: Position | None) -> AllEvents:
        """A reader of all plans' events after `after`, or from now on.

        Cost: one round trip where `after` is None or beyond what the feed knows, else none.

        Raises:
            InvalidInput: the store has not been there yet (it was restored, or is another one).
            Unavailable: the store does not answer.
        """
        if after is None or after.revision > self.feed.revision + 1:
            newest = (await self.store.snapshot([Key(keys.SCHEMA)])).revision
            if after is None:
                after = Position(newest + 1, 0)
            elif after.revision > newest + 1:
                msg = f"The id {after} is of the future; the store is at revision {newest}."
                raise InvalidInput(msg, field="after", revision=str(newest))
        return AllEvents(self, after)

    async def plan_from(self, plan: str, after: int) -> PlanEvents:
        """A reader of one plan's events after number `after`. One round trip.

        Raises:
            NotFound: there is no such plan.
            InvalidInput: its log is shorter.
            ChainBroken: its head is damaged.
        """
        log = await pin(self.store, plan)
        if after > log.head.seq:
            msg = f"The log of {plan} ends at event {log.head.seq}, before {after}."
            raise InvalidInput(msg, field="after", events=str(log.head.seq))
        return PlanEvents(self, log, after)

    async def logged(self, log: PinnedLog, after: int, limit: int) -> list[PublishedEvent]:
        """Up to `limit` events after number `after`, at the log's revision. Two reads in one trip.

        Raises:
            Compacted: that revision is gone; pin the log anew.
        """
        at = keys.PlanKeys(log.plan)
        first, end = after + 1, min(after + limit, log.head.seq) + 1
        envelopes, bodies = await asyncio.gather(
            *(
                self.store.page(of(first), of(end), limit=limit, revision=log.revision)
                for of in (at.event, at.body)
            )
        )
        values = {kv.key: kv.value for kv in (*envelopes.kvs, *bodies.kvs)}
        return [
            published(log.plan, seq, values, revision=log.revision) for seq in range(first, end)
        ]

    def _remember(self, batch: WatchBatch, events: tuple[PublishedEvent, ...]) -> None:
        before = self._cached.pop(batch.revision, None)
        if before is not None:
            self._cached_bytes -= _bytes(before[1])
        self._cached[batch.revision] = (batch, events)
        self._cached_bytes += _bytes(events)
        while len(self._cached) > _CACHED_REVISIONS or self._cached_bytes > _CACHED_BYTES:
            _, (_, dropped) = self._cached.popitem(last=False)
            self._cached_bytes -= _bytes(dropped)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """All revisions before `revision` are read, and the first `index` events of that one."""

    revision: int
    index: int

    def __str__(self) -> str:
        return f"{self.revision}-{self.index}"


class AllEvents:
    """A reader of all plans. `next` may be cancelled; the reader then stays where it was."""

    def __init__(self, events: Events, position: Position) -> None:
        self._events = events
        self._rollbacks = events.feed.rollbacks
        self.position = position

    @property
    def id(self) -> str:
        """Where to go on."""
        return str(self.position)

    def id_of(self, event: PublishedEvent) -> str:
        """Where to go on after `event`."""
        return f"{event.revision}-{event.index}"

    @property
    def behind(self) -> bool:
        """Whether there may be events now."""
        return self.position.revision <= self._events.feed.revision

    async def next(self) -> list[PublishedEvent] | None:
        """Wait for the next events; none: only the position moved; None: nothing ever comes.

        Raises:
            Compacted: changes were lost; `relist` and list what there is.
        """
        feed = self._events.feed
        done = max(self.position.revision - 1, 0)
        await feed.wait(done, self._rollbacks)
        if feed.ended:
            return None
        chunk = await feed.read(done, self._rollbacks)
        found = [
            event
            for batch in chunk.batches
            for event in self._events.of(batch)
            if Position(event.revision, event.index) > self.position
        ]
        if chunk.position > done:
            self.position = Position(chunk.position + 1, 0)
        return found

    def relist(self) -> int:
        """Go on after the newest revision known, and name it: list at it or later."""
        self._rollbacks = self._events.feed.rollbacks
        revision = self._events.feed.revision
        self.position = Position(revision + 1, 0)
        return revision


class PlanEvents:
    """A reader of one plan: first from its log, then as the feed tells. `next` may be cancelled.

    It never misses: wherever the feed cannot reach back, the log is read again.
    """

    def __init__(self, events: Events, log: PinnedLog, after: int) -> None:
        self._events = events
        self._log = log
        self._rollbacks = events.feed.rollbacks
        self._done = log.revision
        self.after = after

    @property
    def id(self) -> str:
        """Where to go on."""
        return str(self.after)

    def id_of(self, event: PublishedEvent) -> str:
        """Where to go on after `event`."""
        return str(event.seq)

    @property
    def behind(self) -> bool:
        """Whether there may be events now."""
        return self.after < self._log.head.seq or self._done < self._events.feed.revision

    def relist(self) -> int:
        """Nothing of a plan's log is ever lost: `next` reads it again by itself."""
        return self._done

    async def next(self) -> list[PublishedEvent] | None:
        """Wait for the next events; none: nothing yet; None: nothing ever comes.

        Raises:
            ChainBroken, MalformedRecord, SchemaTooNew: the next event is missing or unreadable.
            StoreRolledBack: events that were read before are gone.
        """
        feed = self._events.feed
        try:
            if self.after < self._log.head.seq:
                return self._taken(await self._events.logged(self._log, self.after, _PAGE_EVENTS))
            await feed.wait(self._done, self._rollbacks)
            if feed.ended:
                return None
            if not feed.holds(self._done):
                return await self._pin_again()
            chunk = await feed.read(self._done, self._rollbacks)
        except Compacted:
            return await self._pin_again()
        found = [
            event
            for batch in chunk.batches
            for event in self._events.of(batch)
            if event.plan == self._log.plan and event.seq > self.after
        ]
        if found and found[0].seq != self.after + 1:
            return await self._pin_again()
        self._done = max(chunk.position, self._done)
        return self._taken(found)

    def _taken(self, found: list[PublishedEvent]) -> list[PublishedEvent]:
        """What comes before the first event that cannot be read; that one raises when it is due."""
        readable = 0
        while readable < len(found) and found[readable].error is None:
            readable += 1
        if not readable and found and found[0].error is not None:
            raise found[0].error
        if readable:
            self.after = found[readable - 1].seq
        return found[:readable]

    async def _pin_again(self) -> list[PublishedEvent]:
        rollbacks = self._events.feed.rollbacks
        log = await pin(self._events.store, self._log.plan)
        if self.after > log.head.seq:
            msg = f"{log.plan}: event {self.after} was there, and the log ends at {log.head.seq}."
            raise StoreRolledBack(msg, plan=log.plan, events=str(log.head.seq))
        self._log, self._done, self._rollbacks = log, log.revision, rollbacks
        return []


def _bytes(events: tuple[PublishedEvent, ...]) -> int:
    return sum(len(event.json) for event in events)
