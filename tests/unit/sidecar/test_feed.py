"""Followers get each change once, in order; memory is bounded; a cold feed says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bps.core import keys
from bps.core.errors import Compacted
from bps.core.ports import WatchBatch, WatchEvent
from bps.core.txn import KV, Put, Txn
from bps.sidecar.feed import HEARTBEAT_S, STALE_S, Feed
from bps.sidecar.ring import CHUNK_BYTES, Ring, size_of
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, meanwhile, run
from tests.doubles.manual_clock import ManualClock
from tests.unit.sidecar.watched_store import WatchedStore

_DEADLINE_S = 10.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bps.sidecar.past_changes._QUIET_S", 0.02)
    monkeypatch.setattr("bps.sidecar.feed._QUIET_RETRY_S", 0.05)


@dataclass(slots=True)
class World:
    clock: ManualClock
    memory: MemoryStore
    store: WatchedStore
    feed: Feed
    written: list[int] = field(default_factory=list)

    async def write(self, *names: str, value: bytes = b"x") -> int:
        revision = await self.store.put(*(names or ("a",)), value=value)
        self.written.append(revision)
        return revision

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Let time pass until it holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _DEADLINE_S
        while not holds():
            assert loop.time() < end, f"never: {what}"
            await self.clock.advance(0.25)
            await asyncio.sleep(0.001)


@asynccontextmanager
async def world(ring_bytes: int = 2**20, *, before: int = 0) -> AsyncIterator[World]:
    """A running feed; it began after `before` revisions, and one that is not below the root."""
    clock = ManualClock()
    memory = MemoryStore(clock)
    store = WatchedStore(memory)
    made = World(clock, memory, store, Feed(store, clock, ring_bytes=ring_bytes))
    for _ in range(before):
        await made.write()
    await memory.commit(Txn((), (Put(b"/elsewhere", b"x"),)))
    async with meanwhile(made.feed.run()):
        yield made


class Follower:
    """Takes what comes, unless it is told to rest."""

    def __init__(self, feed: Feed, start: int) -> None:
        self.start = start
        self.position = start - 1
        self.got: list[int] = []
        self.lost = False
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self.task = asyncio.create_task(self._follow(feed))

    def rest(self, *, resting: bool) -> None:
        (self._goes_on.clear if resting else self._goes_on.set)()

    async def _follow(self, feed: Feed) -> None:
        try:
            async with aclosing(feed.follow(self.start)) as batches:
                async for batch in batches:
                    assert batch.revision > self.position, "not in order, or twice"
                    self.position = batch.revision
                    if batch.events:
                        self.got.append(batch.revision)
                    await self._goes_on.wait()
        except Compacted:
            self.lost = True

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        assert self.task.cancelled() or self.task.exception() is None


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 12)),
        st.tuples(st.just("cut"), st.just(0)),
        st.tuples(st.just("stall"), st.integers(0, 1)),
        st.tuples(st.just("compact"), st.integers(0, 6)),
        st.tuples(st.just("join"), st.integers(0, 20)),
        st.tuples(st.just("rest"), st.integers(0, 5)),
        st.tuples(st.just("wake"), st.integers(0, 5)),
        st.tuples(st.just("leave"), st.integers(0, 5)),
        st.tuples(st.just("time"), st.integers(0, 3)),
        st.tuples(st.just("turn"), st.integers(0, 30)),
    ),
    min_size=3,
    max_size=40,
)


@dataclass(slots=True)
class Play:
    """What was done so far."""

    w: World
    followers: list[Follower] = field(default_factory=list)
    left: list[Follower] = field(default_factory=list)
    compacted: int = 0

    async def act(self, act: str, n: int) -> None:
        if act in {"rest", "wake", "leave"}:
            if self.followers:
                await getattr(self, act)(self.followers[n % len(self.followers)])
        else:
            await getattr(self, act)(n)

    async def write(self, n: int) -> None:
        for _ in range(n):
            await self.w.write("a", "ops/p/1")

    async def cut(self, _: int) -> None:
        self.w.store.cut()

    async def stall(self, n: int) -> None:
        self.w.store.stall(stalled=bool(n))

    async def compact(self, n: int) -> None:
        wanted = self.w.written[-1] - n
        if wanted > self.compacted:
            await self.w.memory.compact(wanted)
            self.compacted = wanted

    async def join(self, n: int) -> None:
        self.followers.append(Follower(self.w.feed, max(1, self.w.written[-1] + 1 - n)))

    async def rest(self, follower: Follower) -> None:
        follower.rest(resting=True)

    async def wake(self, follower: Follower) -> None:
        follower.rest(resting=False)

    async def leave(self, follower: Follower) -> None:
        self.followers.remove(follower)
        await follower.leave()
        self.left.append(follower)

    async def time(self, n: int) -> None:
        await self.w.clock.advance(float(n))

    async def turn(self, n: int) -> None:
        for _ in range(n):
            await asyncio.sleep(0)


async def play(acts: list[tuple[str, int]], ring_bytes: int) -> None:
    async with world(ring_bytes, before=10) as w:
        done = Play(w)
        for act, n in acts:
            await done.act(act, n)
        w.store.stall(stalled=False)
        for follower in done.followers:
            follower.rest(resting=False)
        last = await w.write()
        await w.until(
            lambda: all(f.lost or f.position >= last for f in done.followers), "all caught up"
        )
        for follower in [*done.followers, *done.left]:
            expected = [r for r in w.written if follower.start <= r <= follower.position]
            assert follower.got == expected
            if follower.lost:
                assert follower.position + 1 < done.compacted, "what it needs is there"
        for follower in done.followers:
            await follower.leave()
        await w.until(lambda: w.store.watches == 1, "only the one watch stands")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ACTS, st.sampled_from([500, 3_000, 2**20]))
def test_each_follower_gets_each_change_once_in_order(
    acts: list[tuple[str, int]], ring_bytes: int
) -> None:
    run(play(acts, ring_bytes))


@asynchronous
async def test_who_needs_what_was_compacted_is_told_and_nobody_else() -> None:
    async with world(before=5) as w:
        await w.until(lambda: w.feed.warm, "it begins")
        await w.memory.compact(w.written[3])
        behind, able = Follower(w.feed, w.written[1]), Follower(w.feed, w.written[3])
        last = await w.write()
        await w.until(lambda: behind.lost and able.position >= last, "both know")
        assert behind.got == []
        assert able.got == w.written[3:]
        await able.leave()


@asynchronous
async def test_many_who_are_behind_share_one_reading_of_the_store() -> None:
    async with world(before=5) as w:
        await w.until(lambda: w.feed.revision >= w.written[-1], "the feed begins")
        followers = [Follower(w.feed, w.written[0]) for _ in range(50)]
        last = await w.write()
        await w.until(lambda: all(f.position >= last for f in followers), "all have it")
        assert all(f.got == w.written for f in followers)
        assert w.store.opened <= 4
        for follower in followers:
            await follower.leave()


@asynchronous
async def test_a_feed_is_cold_until_it_has_begun_and_while_its_watch_is_down() -> None:
    async with world() as w:
        assert not w.feed.warm
        await w.until(lambda: w.feed.warm, "it begins")
        w.store.down = True
        w.store.cut()
        await asyncio.sleep(0.001)
        assert not w.feed.warm
        w.store.down = False
        await w.until(lambda: w.feed.warm, "it stands again")


@asynchronous
async def test_a_feed_whose_store_is_silent_is_cold_within_three_seconds() -> None:
    async with world() as w:
        await w.until(lambda: w.feed.warm, "it begins")
        w.store.down = True
        await w.clock.advance(STALE_S + HEARTBEAT_S)
        assert not w.feed.warm
        w.store.down = False
        await w.clock.advance(HEARTBEAT_S)
        assert w.feed.warm


@asynchronous
async def test_a_feed_whose_watch_is_silent_while_the_store_moves_is_current_for_3_s_only() -> None:
    async with world() as w:
        await w.until(lambda: w.feed.current, "it begins")
        w.store.stall(stalled=True)
        missed = await w.write()
        await w.clock.advance(HEARTBEAT_S)
        assert (w.feed.warm, w.feed.current, w.feed.asked) == (True, True, missed)
        await w.clock.advance(STALE_S)
        assert (w.feed.warm, w.feed.current) == (True, False)
        w.store.stall(stalled=False)
        await w.until(lambda: w.feed.current, "it has caught up")


@asynchronous
async def test_a_cut_watch_goes_on_where_it_was_and_forgets_nothing() -> None:
    async with world() as w:
        gaps: list[int] = []
        learned: list[int] = []
        w.feed.listen(lambda batch: learned.append(batch.revision), on_gap=lambda: gaps.append(1))
        await w.until(lambda: w.feed.warm, "it begins")
        await w.write()
        w.store.cut()
        await w.write()
        await w.until(lambda: w.feed.revision >= w.written[-1], "it goes on")
        assert (learned, len(gaps)) == (w.written, 1)


@asynchronous
async def test_a_compaction_beyond_a_cut_watch_is_a_gap_that_listeners_hear_of() -> None:
    async with world() as w:
        gaps: list[int] = []
        w.feed.listen(lambda _: None, on_gap=lambda: gaps.append(w.feed.revision))
        await w.until(lambda: w.feed.warm, "it begins")
        w.store.cut()
        for _ in range(3):
            await w.write()
        await w.memory.compact(w.written[-1])
        await w.until(lambda: len(gaps) == 2, "it begins anew")
        assert gaps[1] == w.written[-1]


@asynchronous
async def test_a_store_that_went_back_is_a_gap_and_ends_followers_by_name() -> None:
    async with world() as w:
        for _ in range(5):
            await w.write()
        await w.until(lambda: w.feed.revision >= w.written[-1], "the feed begins")
        follower = Follower(w.feed, w.written[-1] + 1)
        await asyncio.sleep(0)
        restored = MemoryStore(w.clock)
        w.store.inner = restored
        w.store.cut()
        await w.until(lambda: follower.lost, "the follower is told")
        assert (w.feed.revision, w.feed.rollbacks > 0) == (1, True)


@asynchronous
async def test_a_listener_that_fails_is_told_to_forget_and_disturbs_nobody() -> None:
    async with world() as w:
        heard: list[int] = []
        forgot: list[int] = []

        def fail(batch: WatchBatch) -> None:
            raise RuntimeError(batch.revision)

        w.feed.listen(fail, on_gap=lambda: forgot.append(1))
        w.feed.listen(lambda batch: heard.append(batch.revision))
        await w.until(lambda: w.feed.warm, "it begins")
        await w.write()
        await w.until(lambda: heard == w.written, "the other one hears")
        assert len(forgot) == 2


@asynchronous
async def test_followers_end_with_the_store() -> None:
    async with world() as w:
        follower = Follower(w.feed, 1)
        await w.until(lambda: w.feed.warm, "it begins")
        await w.store.close()
        await w.until(follower.task.done, "it ends")
        assert not follower.lost


@asynchronous
async def test_blobs_and_operation_records_are_not_kept() -> None:
    async with world() as w:
        await w.until(lambda: w.feed.warm, "it begins")
        start = w.feed.revision
        await w.write("ops/p/1", "plan-data/EP-1/blobs/00", value=b"x" * 1_000)
        await w.write("ops/p/2", "plan-data/EP-1/head")
        await w.until(lambda: w.feed.revision >= w.written[-1], "both are delivered")
        (kept,) = (await w.feed.read(start)).batches
        assert [event.kv.key for event in kept.events] == [keys.ROOT + b"plan-data/EP-1/head"]


@given(st.lists(st.integers(0, 400), max_size=60), st.integers(500, 5_000))
def test_a_ring_keeps_the_newest_within_its_bound_and_reads_on_from_any_place(
    sizes: list[int], max_bytes: int
) -> None:
    ring = Ring(max_bytes)
    ring.clear(1)
    revision, written = 1, []
    for size in sizes:
        revision += 2
        batch = run_batch(revision, size)
        written.append(batch)
        ring.append(batch)
        assert ring.size_bytes <= max_bytes
        for position in {ring.floor, revision - 2, revision}:
            if position < ring.floor:
                continue
            got: list[WatchBatch] = []
            at = position
            while True:
                chunk = ring.read(at, revision)
                assert sum(map(size_of, chunk.batches[:-1])) < CHUNK_BYTES
                got += chunk.batches
                if chunk.position in {at, revision}:
                    break
                at = chunk.position
            assert got == [batch for batch in written if batch.revision > position]


def run_batch(revision: int, size: int) -> WatchBatch:
    kv = KV(keys.ROOT + b"a", b"x" * size, revision, revision)
    return WatchBatch(revision, (WatchEvent(kv, deleted=False),))
