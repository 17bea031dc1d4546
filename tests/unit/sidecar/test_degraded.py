"""Reads without a quorum: labelled, never back before what was shown, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bps.core.errors import QuorumLost, Unavailable
from bps.core.ports import Key, Page, Read, Snapshot
from bps.core.txn import Committed, Put, Txn
from bps.sidecar.degraded import LINEARIZABLE_S, Consistency, DegradedReads
from bps.sidecar.feed import Feed
from bps.store.memory import MemoryStore
from tests.asynchronous import HANGS_S, asynchronous, meanwhile
from tests.doubles import ManualClock
from tests.doubles.forwarding_store import ForwardingStore

KEY = Key(b"/a")


class Minority(ForwardingStore):
    """Its members answer serializable reads only, where `lost`; nothing else, where `silent`."""

    def __init__(self, memory: MemoryStore) -> None:
        super().__init__(memory)
        self.memory = memory
        self.lost = False
        self.silent = False
        self.down = False

    async def _meet(self, *, serializable: bool) -> None:
        if self.down:
            raise Unavailable("No member answers.")
        if self.lost and not serializable:
            raise QuorumLost("etcd has no leader.")
        if self.silent and not serializable:
            await asyncio.Event().wait()

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        await self._meet(serializable=serializable)
        return await super().snapshot(reads, serializable=serializable, at_least=at_least)

    async def page(
        self,
        start: bytes,
        end: bytes,
        *,
        limit: int,
        revision: int = 0,
        keys_only: bool = False,
        serializable: bool = False,
        at_least: int = 0,
    ) -> Page:
        await self._meet(serializable=serializable)
        return await super().page(
            start,
            end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
            at_least=at_least,
        )

    async def put(self, value: bytes) -> int:
        done = await self.memory.commit(Txn((), (Put(KEY.key, value),)))
        assert isinstance(done, Committed)
        return done.revision


def reads() -> tuple[Minority, DegradedReads]:
    clock = ManualClock()
    store = Minority(MemoryStore(clock))
    return store, DegradedReads(store, Feed(store, clock), clock)


@asynchronous
async def test_with_a_quorum_a_read_is_linearizable() -> None:
    store, degraded = reads()
    revision = await store.put(b"1")
    reading = degraded.reading()
    assert (await reading.snapshot([KEY])).revision == revision
    assert (reading.consistency, reading.reason) == (Consistency.LINEARIZABLE, None)
    assert degraded.floor == revision


@pytest.mark.parametrize(("silent", "reason"), [(False, "quorum_lost"), (True, "no_answer")])
@asynchronous
async def test_without_one_a_member_answers_and_says_so(silent: bool, reason: str) -> None:
    store, degraded = reads()
    await store.put(b"1")
    store.lost, store.silent = not silent, silent
    reading = degraded.reading()
    begun_s = asyncio.get_running_loop().time()
    snapshot = await reading.snapshot([KEY])
    page = await reading.page(b"/", b"0", limit=9)
    assert snapshot.answers[0] == page.kvs
    assert (reading.consistency, reading.reason) == (Consistency.SERIALIZABLE, reason)
    # The second read of a request does not wait for a quorum again.
    assert asyncio.get_running_loop().time() - begun_s < 2 * LINEARIZABLE_S


@asynchronous
async def test_a_member_behind_what_was_served_answers_nothing() -> None:
    store, degraded = reads()
    before = await store.put(b"1")
    newest = await store.put(b"2")
    await degraded.reading().snapshot([KEY])
    store.lost, store.memory.applied = True, before
    with pytest.raises(Unavailable) as refused:
        await degraded.reading().snapshot([KEY])
    assert refused.value.facts == {"have": str(before), "wanted": str(newest)}
    assert not degraded.reading(newest + 1).from_cache(newest)
    store.memory.applied = newest
    assert (await degraded.reading().snapshot([KEY])).revision == newest


@asynchronous
async def test_a_caller_who_has_seen_more_is_refused_whatever_the_consistency() -> None:
    store, degraded = reads()
    revision = await store.put(b"1")
    for store.lost in (False, True):
        assert (await degraded.reading(revision).snapshot([KEY])).revision == revision
        with pytest.raises(Unavailable) as refused:
            await degraded.reading(revision + 1).snapshot([KEY])
        assert refused.value.facts == {"have": str(revision), "wanted": str(revision + 1)}


@asynchronous
async def test_the_age_is_bounded_by_what_the_feed_knows() -> None:
    clock = ManualClock()
    store = Minority(MemoryStore(clock))
    feed = Feed(store, clock)
    degraded = DegradedReads(store, feed, clock)
    assert degraded.age_ms == clock.now_ms()
    async with meanwhile(feed.run()):
        async with asyncio.timeout(HANGS_S):
            while feed.complete_s is None:  # noqa: ASYNC110 - a manual clock moves no timer
                await asyncio.sleep(0)
        store.lost = True
        known = degraded.age_ms
        await clock.advance(7)
        assert degraded.age_ms == known + 7_000
