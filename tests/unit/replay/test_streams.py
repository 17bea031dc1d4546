"""Logs of every size at the borders of pages, read while others write; and events as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from bps.core.codec import SCHEMA
from bps.core.errors import BpsError, ChainBroken, MalformedRecord, NotFound, SchemaTooNew
from bps.core.ports import Page, Read, Snapshot, Store
from bps.core.txn import Delete, Put, Txn
from bps.plans.cloudevents import CloudEvent
from bps.replay.events import follow_events, read_events
from bps.replay.log import PAGE_EVENTS, pin
from bps.replay.replay import replay
from bps.replay.verify import checked_events, verify
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, Scene
from tests.doubles.forwarding_store import ForwardingStore
from tests.unit.replay.history import BLUEPRINT as LIVED_BLUEPRINT
from tests.unit.replay.history import (
    KEYS,
    Records,
    forged,
    index_of,
    live,
    lived,
    loaded,
)

BLUEPRINT = b"name: x\n"


async def ids(events: AsyncGenerator[CloudEvent, None]) -> list[int]:
    async with aclosing(events):
        return [int(event.id) async for event in events]


@asynchronous
async def test_logs_at_the_borders_of_pages() -> None:
    assert PAGE_EVENTS == 1_000
    scene = await Scene.make(content=BLUEPRINT)
    length = 1
    for size in (1, 2, 999, 1_000, 1_001, 2_000, 2_001):
        while length < size:
            await scene.open(f"T{length}", "one root cause")
            length += 1
        assert (await verify(scene.memory, PLAN)).events == size
        assert (await replay(scene.memory, PLAN)).events == size
        for start in {1, 2, size - 1, size, size + 1, 1_000, 1_001} - {0}:
            shown = await ids(read_events(scene.memory, PLAN, start))
            assert shown == [*range(start, size + 1)]


@asynchronous
async def test_others_have_their_turn_while_a_page_is_proved() -> None:
    scene = await Scene.make(content=BLUEPRINT)
    for number in range(200):
        await scene.open(f"T{number}", "one root cause")
    checked = longest = 0

    async def others() -> None:
        nonlocal checked, longest
        while True:
            longest, checked = max(longest, checked), 0
            await asyncio.sleep(0)

    ticking = asyncio.create_task(others())
    async with aclosing(checked_events(scene.memory, await pin(scene.memory, PLAN))) as events:
        async for _ in events:
            checked += 1
    ticking.cancel()
    assert 0 < longest <= 50


@asynchronous
async def test_a_plan_that_is_not_there() -> None:
    scene = await Scene.make(None)
    for act in (verify(scene.memory, PLAN), replay(scene.memory, PLAN)):
        with pytest.raises(NotFound):
            await act
    with pytest.raises(NotFound):
        await ids(read_events(scene.memory, PLAN, 1))


class Busy(ForwardingStore):
    """Before each read of the reader, another process opens, submits, promotes or fails."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.memory)
        self._scene = scene
        self.writes = 0

    async def _write(self) -> None:
        self.writes += 1
        n = self.writes
        branch = await self._scene.succeed(f"busy {n}", BLUEPRINT + b"n: %d\n" % n)
        if n % 3 == 0:
            await self._scene.fail(branch)
        else:
            await self._scene.promote(branch)

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        answer = await super().snapshot(reads, serializable=serializable, at_least=at_least)
        await self._write()
        return answer

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
        await self._write()
        return await super().page(
            start,
            end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
            at_least=at_least,
        )

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        await self._write()
        return await super().count(prefix, revision=revision)


@asynchronous
async def test_a_writer_at_the_same_time_disturbs_no_proof() -> None:
    scene = await Scene.make(content=LIVED_BLUEPRINT)
    await live(scene)
    busy = Busy(scene)
    for prove in (verify, replay):
        events = (await scene.head()).seq
        proof = await prove(busy, PLAN)
        assert proof.events == events
        assert (await scene.head()).seq > events
    assert busy.writes > 10
    assert (await replay(scene.memory, PLAN)).events == (await scene.head()).seq


@asynchronous
async def test_following_shows_each_event_once_in_order() -> None:
    scene = await Scene.make()
    shown: list[int] = []

    async def follow(start: int) -> None:
        async with aclosing(follow_events(scene.memory, PLAN, start)) as events:
            async for event in events:
                shown.append(int(event.id))
                if shown[-1] == 4:
                    return

    task = asyncio.create_task(follow(1))
    branch = await scene.open("T1")
    await _damage(scene.memory, KEYS.event(1))
    await scene.submit(branch, BLUEPRINT)
    await scene.promote(branch)
    await asyncio.wait_for(task, 5)
    assert shown == [1, 2, 3, 4]
    shown.clear()
    await asyncio.wait_for(follow(3), 5)
    assert shown == [3, 4]


async def _damage(store: Store, key: bytes) -> None:
    """Rewrite and delete an old event; a follower has seen it already."""
    await store.commit(Txn((), (Put(key, b"{}"),)))
    await store.commit(Txn((), (Delete(key),)))


@asynchronous
async def test_following_waits_for_an_event_that_is_not_there_yet() -> None:
    scene = await Scene.make()
    async with aclosing(follow_events(scene.memory, PLAN, 3)) as events:
        coming = asyncio.ensure_future(anext(events))
        branch = await scene.open("T1")
        assert not coming.done()
        await scene.submit(branch, BLUEPRINT)
        assert (await asyncio.wait_for(coming, 5)).id == "3"


def unreadable() -> list[tuple[str, Records, type[BpsError], int]]:
    linked = index_of(lived(), "TRACE_LINKED")
    missing_event, missing_body = lived(), lived()
    del missing_event[KEYS.event(3)], missing_body[KEYS.body(4)]
    return [
        ("event", missing_event, ChainBroken, 3),
        ("body", missing_body, ChainBroken, 4),
        ("json", {**lived(), KEYS.event(2): b"{"}, MalformedRecord, 2),
        ("not its body", {**lived(), KEYS.body(2): b"{}"}, MalformedRecord, 2),
        (
            "type",
            forged(lived(), linked, envelope=lambda fields: fields.update(type="PAINTED")),
            MalformedRecord,
            linked,
        ),
        (
            "time",
            forged(lived(), linked, envelope=lambda fields: fields.update(time_ms=2**62)),
            MalformedRecord,
            linked,
        ),
        (
            "schema",
            forged(lived(), linked, envelope=lambda fields: fields.update(schema=SCHEMA + 2)),
            SchemaTooNew,
            0,
        ),
    ]


@pytest.mark.parametrize(
    ("records", "error", "index"),
    [row[1:] for row in unreadable()],
    ids=[r[0] for r in unreadable()],
)
@asynchronous
async def test_an_unreadable_event_is_named(
    records: Records, error: type[BpsError], index: int
) -> None:
    with pytest.raises(error) as caught:
        await ids(read_events(await loaded(records), PLAN, 1))
    assert caught.value.facts.get("index", 0) == index
