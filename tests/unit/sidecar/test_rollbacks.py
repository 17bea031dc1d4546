"""A store that was rolled back is noticed whatever its revision is, and what it told is dropped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.codec import SCHEMA
from bps.core.errors import SchemaTooNew, StoreRolledBack
from bps.core.txn import Delete, Put, Txn
from bps.leadership.modes import Reason
from bps.sidecar.diagnosis import diagnose_sidecar
from bps.sidecar.feed import HEARTBEAT_S, Feed
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually, meanwhile
from tests.doubles.forwarding_store import ForwardingStore
from tests.doubles.manual_clock import ManualClock
from tests.doubles.scene import registration
from tests.unit.keyring.people import key_of

TIP = keys.CHECKPOINT_TIP


async def grown(clock: ManualClock, *, before: int, after: int) -> MemoryStore:
    """A store whose tip was written after `before` other changes, with `after` more behind it."""
    store = MemoryStore(clock)
    for n in range(before + 1 + after):
        key = TIP if n == before else keys.ROOT + b"other"
        await store.commit(Txn((), (Put(key, b"x"),)))
    return store


@pytest.mark.parametrize("before", [1, 5])
@asynchronous
async def test_another_history_is_noticed_although_its_revision_is_beyond_ours(before: int) -> None:
    clock = ManualClock()
    store = ForwardingStore(await grown(clock, before=3, after=4))
    feed = Feed(store, clock)
    gaps: list[int] = []
    feed.listen(lambda _: None, on_gap=lambda: gaps.append(feed.revision))
    async with meanwhile(feed.run()):
        await _after(clock, lambda: feed.warm)
        store.inner = await grown(clock, before=before, after=30)
        await _after(clock, lambda: len(gaps) == 2)
        assert feed.rollbacks > 0


@asynchronous
async def test_checkpoints_that_go_on_are_no_rollback() -> None:
    clock = ManualClock()
    store = await grown(clock, before=1, after=1)
    feed = Feed(store, clock)
    async with meanwhile(feed.run()):
        await _after(clock, lambda: feed.warm)
        for _ in range(20):
            await store.commit(Txn((), (Put(TIP, b"y"),)))
            await clock.advance(HEARTBEAT_S / 2)
        assert feed.rollbacks == 0
        feed.restart()
        await _after(clock, lambda: feed.rollbacks > 0 and feed.warm)


async def _after(clock: ManualClock, holds: Callable[[], bool]) -> None:
    async def moved() -> bool:
        await clock.advance(HEARTBEAT_S / 4)
        return holds()

    await eventually(moved, "the feed has noticed")


@asynchronous
async def test_the_first_write_after_a_rollback_is_refused_and_the_diagnosis_says_why(
    tmp_path: Path,
) -> None:
    store = MemoryStore(SystemClock())
    settings = SidecarSettings("test", signer=key_of(1), mirror_dir=tmp_path)
    async with Sidecar(store, SystemClock(), settings) as running:
        await running.terms.decided()
        await running.execute(registration("EP-1"))

        async def mirrored() -> bool:
            return running.mirror.witness() is not None

        await eventually(mirrored, "a checkpoint is mirrored")
        last = running.mirror.mirror.last
        assert last is not None
        await store.commit(Txn((), (Delete(keys.checkpoint(last.seq)),)))
        before = (await store.status())[0].revision
        with pytest.raises(StoreRolledBack):
            await running.execute(registration("EP-2"))
        assert (await store.status())[0].revision == before
        with pytest.raises(StoreRolledBack):
            await running.execute(registration("EP-3"))

        async def said() -> bool:
            rows = {row.check: row for row in await diagnose_sidecar(running)}
            return (
                "rolled back" in rows["mirror"].detail
                and "store_rolled_back" in rows["mode"].detail
                and "Write nowhere" in rows["mode"].next_action
            )

        await eventually(said, "the diagnosis says it")


@asynchronous
async def test_a_store_of_a_newer_release_is_refused_by_its_name_and_not_as_unavailable() -> None:
    store = MemoryStore(SystemClock())
    async with Sidecar(store, SystemClock(), SidecarSettings("test")) as running:
        await running.terms.decided()
    newer = b'{"kind":"schema","schema":%d}' % (SCHEMA + 2)
    await store.commit(Txn((), (Put(keys.SCHEMA, newer),)))
    async with Sidecar(store, SystemClock(), SidecarSettings("test")) as running:
        await running.terms.decided()

        async def refused() -> bool:
            return running.terms.reason is Reason.STORE_UNREADABLE

        await eventually(refused, "it is read-only")
        with pytest.raises(SchemaTooNew):
            await running.execute(registration("EP-1"))
