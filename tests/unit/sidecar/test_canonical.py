"""A kept canonical version is never older than what is known to exist."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.txn import Committed, Delete, Put, Txn
from bps.plans.read import plan_detail
from bps.sidecar.canonical import CanonicalVersions
from bps.sidecar.feed import HEARTBEAT_S, STALE_S, Feed
from tests.asynchronous import asynchronous, meanwhile, run
from tests.doubles.recording_store import RecordingStore
from tests.doubles.scene import PLAN, Scene
from tests.unit.sidecar.watched_store import WatchedStore

OTHER = "EP-2"


@dataclass(slots=True)
class World:
    """One sidecar's view of plans that another one writes by `scene`."""

    scene: Scene
    store: WatchedStore
    reads: RecordingStore
    feed: Feed
    canonical: CanonicalVersions
    made: int = 0

    async def promote(self, plan: str = PLAN) -> int:
        """Publish the next version elsewhere; the revision at which it was."""
        self.made += 1
        fix = await self.scene.succeed(f"t{self.made}", b"v%d" % (self.made + 1), plan=plan)
        await self.scene.promote(fix, plan=plan)
        return (await self.scene.memory.status())[0].revision

    async def learned(self) -> None:
        newest = (await self.scene.memory.status())[0].revision
        async with asyncio.timeout(10):
            while not (self.feed.warm and self.feed.revision >= newest):
                await self.time(HEARTBEAT_S)
                await asyncio.sleep(0)

    async def time(self, seconds: float) -> None:
        """Let time pass, in which the feed asks and is told."""
        await self.feed._clock.advance(seconds)  # type: ignore[attr-defined]

    async def version(self) -> int:
        return (await self.canonical.get(PLAN)).version.version


@asynccontextmanager
async def world(*, max_plans: int = 10) -> AsyncIterator[World]:
    from tests.doubles.manual_clock import ManualClock  # noqa: PLC0415

    scene = await Scene.make()
    store = WatchedStore(scene.memory)
    feed = Feed(store, ManualClock())
    reads = RecordingStore(store)
    canonical = CanonicalVersions(reads, feed, max_plans=max_plans)
    async with meanwhile(feed.run()):
        yield World(scene, store, reads, feed, canonical)


@asynchronous
async def test_a_known_version_costs_no_round_trip_and_a_new_one_comes_by_the_watch() -> None:
    async with world() as w:
        await w.learned()
        assert await w.version() == 1
        w.reads.reset()
        assert await w.version() == 1
        await w.promote()
        await w.learned()
        assert await w.version() == 2
        assert w.reads.calls == []
        assert (await w.canonical.get(PLAN, fresh=True)).version.version == 2
        assert w.reads.calls == ["snapshot"]


@asynchronous
async def test_a_silent_watch_hides_what_is_newer_for_three_seconds_at_most() -> None:
    async with world() as w:
        await w.learned()
        assert await w.version() == 1
        w.store.stall(stalled=True)
        await w.promote()
        await w.time(STALE_S + HEARTBEAT_S)
        assert w.feed.warm
        assert await w.version() == 2


@asynchronous
async def test_a_store_that_does_not_answer_is_asked_again_after_three_seconds() -> None:
    async with world() as w:
        await w.learned()
        await w.version()
        w.store.stall(stalled=True)
        w.store.down = True
        await w.promote()
        await w.time(STALE_S + HEARTBEAT_S)
        w.store.down = False
        assert await w.version() == 2


@asynchronous
async def test_nothing_older_is_served_than_what_this_sidecar_published() -> None:
    async with world() as w:
        await w.learned()
        await w.version()
        w.store.stall(stalled=True)
        w.canonical.published(PLAN, await w.promote())
        assert await w.version() == 2
        w.reads.reset()
        assert await w.version() == 2
        assert w.reads.calls == []


@asynchronous
async def test_what_was_published_is_forgotten_when_the_watch_has_told_it() -> None:
    async with world() as w:
        await w.learned()
        for n in range(50):
            w.canonical.published(f"EP-{n + 10}", await w.store.put("a"))
        await w.learned()
        assert not w.canonical._published


@asynchronous
async def test_a_slow_read_gives_nothing_older_than_the_watch_told_meanwhile() -> None:
    async with world() as w:
        await w.learned()
        old = await plan_detail(w.scene.memory, PLAN)
        await w.promote()
        await w.learned()
        w.canonical._keep(PLAN, old.revision, 1, old.canonical)
        assert await w.version() == 2


@asynchronous
async def test_a_slow_read_from_before_a_gap_or_an_eviction_is_not_kept() -> None:
    async with world(max_plans=1) as w:
        await w.learned()
        old = await plan_detail(w.scene.memory, PLAN)
        await w.promote()
        await w.learned()
        await w.scene.register(plan=OTHER)
        await w.learned()
        w.canonical._keep(PLAN, old.revision, 1, old.canonical)
        assert await w.version() == 2
        w.feed._begin((await w.scene.memory.status())[0].revision, 0)
        w.canonical._keep(PLAN, old.revision, 1, old.canonical)
        assert await w.version() == 2


@asynchronous
async def test_a_plan_that_is_gone_is_not_served() -> None:
    async with world() as w:
        await w.learned()
        await w.version()
        at = keys.PlanKeys(PLAN)
        gone = Txn((), (Delete(at.canonical), Delete(at.head), Delete(at.record)))
        assert isinstance(await w.scene.memory.commit(gone), Committed)
        await w.learned()
        with pytest.raises(NotFound):
            await w.version()


@asynchronous
async def test_keys_that_only_look_like_a_canonical_version_are_not_taken_for_one() -> None:
    async with world() as w:
        await w.learned()
        plain = await w.version()
        for name in (f"plan-data/{PLAN}/versions/canonical", "plan-data//canonical"):
            await w.scene.memory.commit(Txn((), (Put(keys.ROOT + name.encode(), b"x"),)))
        await w.learned()
        assert await w.version() == plain
        assert len(w.canonical._entries) <= 2


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from(["promote", "publish", "cut", "stall", "flow", "beat", "gap", "other"]),
        min_size=3,
        max_size=15,
    )
)
def test_versions_of_a_plan_never_go_back_and_own_ones_show_at_once(acts: list[str]) -> None:
    async def play() -> None:
        async with world(max_plans=1) as w:
            await w.learned()
            seen = published = 1
            for act in acts:
                match act:
                    case "promote":
                        await w.promote()
                    case "publish":
                        revision = await w.promote()
                        w.canonical.published(PLAN, revision)
                        published = w.made + 1
                    case "cut":
                        w.store.cut()
                    case "stall" | "flow":
                        w.store.stall(stalled=act == "stall")
                    case "beat":
                        await w.time(HEARTBEAT_S)
                    case "gap":
                        w.feed._begin((await w.scene.memory.status())[0].revision, 0)
                        published = w.made + 1
                    case _:
                        w.canonical._keep(OTHER, w.feed.revision, 1, None)
                found = await w.version()
                assert found >= max(seen, published)
                seen = found

    run(play())
