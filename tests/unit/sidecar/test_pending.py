"""How long the oldest succeeded RR-plan waits: from the feed, and looked for once after a start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bps.core import keys
from bps.core.ids import ReviewId
from bps.core.txn import Put, Txn
from bps.review.claim import ClaimReview
from bps.review.reject import RejectReview
from bps.sidecar.feed import Feed
from bps.sidecar.pending import PendingPromotions
from tests.asynchronous import asynchronous, eventually, meanwhile
from tests.doubles import PLAN, WHO, ManualClock, RecordingStore, Scene


@dataclass(slots=True)
class Follower:
    """The part under test with the clock that it sleeps by."""

    pending: PendingPromotions
    clock: ManualClock

    async def counts(self, count: int) -> None:
        async def counted() -> bool:
            await self.clock.advance(0.05)
            return self.pending.count == count

        await eventually(counted, f"{count} wait")

    async def knows(self) -> None:
        async def found() -> bool:
            self.pending.want()
            await self.clock.advance(0.05)
            return self.pending.known

        await eventually(found, "what waits is known")


@asynccontextmanager
async def following(scene: Scene) -> AsyncIterator[Follower]:
    """A follower that begins now."""
    clock = ManualClock()
    feed = Feed(scene.memory, clock)
    pending = PendingPromotions(scene.memory, feed, clock)

    async def warm() -> bool:
        return feed.warm

    async with meanwhile(feed.run(), pending.run()):
        await eventually(warm, "the watch stands")
        yield Follower(pending, clock)


@asynchronous
async def test_the_age_counts_from_the_success_and_ends_with_the_promotion() -> None:
    scene = await Scene.make()
    async with following(scene) as follower:
        opened = await scene.open("T1", "F1")
        scene.clock.move(100)
        assert follower.pending.oldest_ms() is None
        succeeded_ms = scene.clock.now_ms()
        await scene.submit(opened, b"v: 2\n")
        await follower.counts(1)
        assert follower.pending.oldest_ms() == succeeded_ms
        scene.clock.move(50)
        await scene.open("T2", "F1")
        second = await scene.open("T3", "F2")
        await scene.submit(second, b"v: 3\n")
        await follower.counts(2)
        assert follower.pending.oldest_ms() == succeeded_ms
        await scene.promote(opened)
        await follower.counts(1)
        assert (follower.pending.oldest_ms() or 0) > succeeded_ms
        await scene.fail(second)
        await follower.counts(0)


@asynchronous
async def test_what_waited_before_the_start_is_found_with_its_own_time() -> None:
    scene = await Scene.make()
    first = await scene.open("T1", "F1")
    scene.clock.move(100)
    succeeded_ms = scene.clock.now_ms()
    await scene.submit(first, b"v: 2\n")
    scene.clock.move(100)
    await scene.open("T2", "F1")
    async with following(scene) as follower:
        assert (follower.pending.known, follower.pending.count) == (False, 0)
        await follower.knows()
        assert follower.pending.oldest_ms() == succeeded_ms


@asynchronous
async def test_open_reviews_are_counted_from_their_opening_until_they_end() -> None:
    scene = await Scene.make(content=b"a: 1\nb: 1\n")

    async def fight(value: bytes) -> None:
        names = (b"x" + value, b"y" + value)
        pair = [await scene.succeed(n.decode(), b"a: " + n + b"\nb: 1\n") for n in names]
        await scene.refused(*pair)

    scene.clock.move(100)
    opened_ms = scene.clock.now_ms()
    await fight(b"1")
    scene.clock.move(50)
    async with following(scene) as follower:
        assert (follower.pending.known, follower.pending.reviews) == (False, 0)
        await follower.knows()
        assert (follower.pending.reviews, follower.pending.oldest_review_ms()) == (1, opened_ms)
        await scene.path.execute(ClaimReview(WHO, "claim", ReviewId(PLAN, 1)))
        await fight(b"2")
        await follower.counts(4)
        assert (follower.pending.reviews, follower.pending.oldest_review_ms()) == (1, opened_ms)
        await scene.path.execute(RejectReview(WHO, "no", ReviewId(PLAN, 1), "why"))
        await follower.counts(0)
        assert (follower.pending.reviews, follower.pending.oldest_review_ms()) == (0, None)
        next_ms = scene.clock.now_ms()
        await fight(b"3")
        await follower.counts(2)
        assert follower.pending.oldest_review_ms() == next_ms


@asynchronous
async def test_where_the_event_is_far_back_the_opening_counts() -> None:
    scene = await Scene.make()
    opened_ms = scene.clock.now_ms()
    first = await scene.open("T1", "F1")
    scene.clock.move(100)
    await scene.submit(first, b"v: 2\n")
    for n in range(1_001):
        await scene.open(f"T{n + 2}", "F1")
    async with following(scene) as follower:
        await follower.knows()
        assert follower.pending.oldest_ms() == opened_ms


@asynchronous
async def test_a_damaged_plan_leaves_the_answer_unknown_but_not_the_others() -> None:
    scene = await Scene.make()
    first = await scene.open("T1", "F1")
    await scene.submit(first, b"v: 2\n")
    await scene.register(plan="EP-2")
    bad = keys.PlanKeys("EP-2").branch("0" * 40)
    await scene.memory.commit(Txn((), (Put(bad, b"{}"),)))
    async with following(scene) as follower:
        follower.pending.want()
        await follower.counts(1)
        assert not follower.pending.known


@asynchronous
async def test_who_asks_waits_for_the_search_but_not_for_ever() -> None:
    scene = await Scene.make()
    async with following(scene) as follower:
        asking = asyncio.create_task(follower.pending.known_within(1.0, 1))

        async def answered() -> bool:
            await follower.clock.advance(0.05)
            return asking.done()

        await eventually(answered, "there is an answer")
        assert asking.result()
        ahead = (await scene.memory.status())[0].revision + 1
        asking = asyncio.create_task(follower.pending.known_within(1.0, ahead))
        await eventually(answered, "there is an answer")
        assert not asking.result()
        await scene.open("T1", "F1")
        asking = asyncio.create_task(follower.pending.known_within(1.0, ahead))
        await eventually(answered, "there is an answer")
        assert asking.result()
    await scene.register(plan="EP-2")
    bad = keys.PlanKeys("EP-2").branch("0" * 40)
    await scene.memory.commit(Txn((), (Put(bad, b"{}"),)))
    async with following(scene) as follower:
        began_s = follower.clock.monotonic_s()
        asking = asyncio.create_task(follower.pending.known_within(1.0, 1))
        await eventually(answered, "there is an answer")
        assert not asking.result()
        assert follower.clock.monotonic_s() - began_s >= 1.0


@asynchronous
async def test_nobody_asking_costs_the_store_nothing() -> None:
    scene = await Scene.make()
    store = RecordingStore(scene.memory)
    clock = ManualClock()
    task = asyncio.create_task(PendingPromotions(store, Feed(scene.memory, clock), clock).run())
    await clock.advance(60)
    assert store.calls == []
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
