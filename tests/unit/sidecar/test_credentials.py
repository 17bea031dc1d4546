"""Credentials in memory: what a look-up costs, and that nothing stale lets anybody in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import QuorumLost, Unavailable
from bps.core.ports import Page
from bps.core.txn import Committed, Delete, Put, Txn
from bps.identity.credential import Credential
from bps.identity.roles import Role
from bps.sidecar.credentials import Credentials
from bps.sidecar.degraded import DegradedReads
from bps.sidecar.feed import Feed
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually, meanwhile
from tests.doubles import RecordingStore
from tests.unit.sidecar.test_degraded import Minority


def credential(number: int, **changes: object) -> Credential:
    made = Credential(
        id=f"{number:016x}",
        principal="someone",
        roles=[Role.AGENT],
        proof="secret",
        digest="ab" * 32,
        certificate_name=None,
        created_ms=0,
        created_by="tester",
        expires_ms=None,
        revoked_ms=None,
        revoked_by=None,
        rotated_from=None,
        comment="",
    )
    return made.model_copy(update=changes)


@dataclass
class World:
    memory: MemoryStore
    store: RecordingStore
    feed: Feed
    credentials: Credentials

    async def put(self, *made: Credential) -> int:
        answer = await self.memory.commit(Txn((), tuple(each.put() for each in made)))
        assert isinstance(answer, Committed)
        return answer.revision

    async def find(self, *numbers: int) -> list[Credential]:
        return await self.credentials.find([f"{number:016x}" for number in numbers])


def cold_world(memory: MemoryStore | None = None) -> World:
    clock = SystemClock()
    memory = memory or MemoryStore(clock)
    store = RecordingStore(memory)
    feed = Feed(store, clock)
    return World(memory, store, feed, Credentials(store, feed, clock))


async def reached(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await eventually(holds, "the watch brought it")


@asynccontextmanager
async def warm(world: World) -> AsyncIterator[World]:
    async with meanwhile(world.feed.run(), world.credentials.run()):
        await reached(lambda: world.credentials.warm)
        world.store.reset()
        yield world


@asynchronous
async def test_all_pages_are_loaded_and_looking_up_costs_nothing_then() -> None:
    world = cold_world()
    for start in range(0, 1_200, 100):
        await world.put(*(credential(number) for number in range(start, start + 100)))
    async with warm(world):
        assert [each.id for each in await world.find(0, 999, 1_199)] == [
            f"{number:016x}" for number in (0, 999, 1_199)
        ]
        assert await world.find(5_000) == []
        assert not [read for reads in world.store.reads for read in reads if "tokens" in str(read)]
        assert "page" not in world.store.calls


@asynchronous
async def test_cold_every_look_up_reads_the_store() -> None:
    world = cold_world()
    await world.put(credential(1))
    assert await world.find(1, 2) == [credential(1)]
    await world.put(credential(1, revoked_ms=5))
    assert await world.find(1) == [credential(1, revoked_ms=5)]
    await world.memory.commit(Txn((), (Delete(keys.token(f"{1:016x}")),)))
    assert await world.find(1) == []
    assert world.store.calls == ["snapshot"] * 3


@asynchronous
async def test_what_another_sidecar_writes_is_seen_when_the_watch_brings_it() -> None:
    world = cold_world()
    async with warm(world):
        await world.put(credential(1))
        revision = await world.put(credential(1, revoked_ms=5))
        await reached(lambda: world.feed.revision >= revision)
        assert await world.find(1) == [credential(1, revoked_ms=5)]
        answer = await world.memory.commit(Txn((), (Delete(keys.token(f"{1:016x}")),)))
        await reached(lambda: world.feed.revision >= answer.revision)
        assert await world.find(1) == []


@asynchronous
async def test_an_own_write_holds_at_once_and_an_older_one_never_comes_back() -> None:
    world = cold_world()
    revision = await world.put(credential(1))
    async with warm(world):
        world.credentials.wrote(revision + 1, credential(1, revoked_ms=5))
        assert await world.find(1) == [credential(1, revoked_ms=5)]
        world.credentials.wrote(0, credential(1))
        world.credentials.wrote(revision, credential(1))
        assert await world.find(1) == [credential(1, revoked_ms=5)]
        world.credentials.wrote(0, credential(2, revoked_ms=5))
        assert await world.find(2) == [credential(2, revoked_ms=5)]


@asynchronous
async def test_a_damaged_credential_lets_nobody_in_and_stops_no_other() -> None:
    world = cold_world()
    newer = credential(3).encode().replace(b'"schema":2', b'"schema":9')
    other = credential(4).put()
    await world.put(credential(1))
    await world.memory.commit(
        Txn(
            (),
            (
                Put(keys.token(f"{2:016x}"), b"{}"),
                Put(keys.token(f"{3:016x}"), newer),
                Put(keys.token(f"{5:016x}"), other.value),
            ),
        )
    )
    async with warm(world):
        assert await world.find(1, 2, 3, 4, 5) == [credential(1)]
        broken = await world.memory.commit(Txn((), (Put(keys.token(f"{1:016x}"), b"\xff"),)))
        await reached(lambda: world.feed.revision >= broken.revision)
        assert await world.find(1) == []


class RevokedWhileLoading(RecordingStore):
    """Revokes, and tells the watch of it, after a page was read and before it is answered."""

    world: World
    missing: int = 1

    async def page(self, *args: object, **options: object) -> Page:
        if self.missing:
            self.missing -= 1
            raise Unavailable("Nobody answers.")
        page = await super().page(*args, **options)  # type: ignore[arg-type]
        revision = await self.world.put(credential(1, revoked_ms=5))
        await reached(lambda: self.world.feed.revision >= revision)
        return page


@asynchronous
async def test_what_the_watch_brings_while_pages_are_read_is_not_overwritten_by_them() -> None:
    clock = SystemClock()
    memory = MemoryStore(clock)
    store = RevokedWhileLoading(memory)
    feed = Feed(store, clock)
    world = World(memory, store, feed, Credentials(store, feed, clock))
    store.world = world
    await world.put(credential(1))
    async with warm(world):
        assert await world.find(1) == [credential(1, revoked_ms=5)]


@dataclass
class Divided(World):
    """As `World`; while `minority.lost`, it is known that the quorum is lost."""

    minority: Minority


def divided_world() -> Divided:
    clock = SystemClock()
    memory = MemoryStore(clock)
    minority = Minority(memory)
    store = RecordingStore(minority)
    feed = Feed(store, clock)
    degraded = DegradedReads(store, feed, clock, quorum_lost=lambda: minority.lost)
    return Divided(memory, store, feed, Credentials(store, feed, clock, degraded), minority)


@asynccontextmanager
async def cut_off(world: Divided) -> AsyncIterator[None]:
    """The quorum is lost and the watch is down; what was loaded stays in memory."""
    world.minority.lost = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Credentials, "warm", False)
        world.store.reset()
        yield


@asynchronous
async def test_without_a_quorum_those_in_memory_hold_and_nobody_is_asked() -> None:
    world = divided_world()
    await world.put(credential(1), credential(2, revoked_ms=5))
    async with warm(world), cut_off(world):
        found = await world.find(1, 2, 3)
        assert found == [credential(1), credential(2, revoked_ms=5)]
        assert not [read for reads in world.store.reads for read in reads if "tokens" in str(read)]


@asynchronous
async def test_without_a_quorum_one_that_is_not_loaded_is_read_from_one_member() -> None:
    world = divided_world()
    await world.put(credential(1))
    world.minority.lost = True
    with pytest.raises(QuorumLost):
        await world.minority.snapshot([])
    assert await world.find(1, 2) == [credential(1)]
    assert world.store.calls == ["snapshot"]


@asynchronous
async def test_where_no_member_answers_nothing_is_known_of_one_that_is_not_loaded() -> None:
    world = divided_world()
    await world.put(credential(1))
    world.minority.lost = world.minority.down = True
    with pytest.raises(Unavailable):
        await world.find(1)
