"""The sidecar's part: checkpoints under traffic, none when idle, and what stops a term."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from bps.checkpoints.mirror_lines import mirrored
from bps.checkpoints.model import Checkpoint
from bps.checkpoints.proof import witnesses
from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import StoreRolledBack
from bps.core.keys import PlanKeys, after_prefix
from bps.core.txn import KV, Delete, Put, Txn
from bps.keyring.change import AddKey
from bps.keyring.model import Purpose
from bps.keyring.private_key import PrivateKey
from bps.keyring.read import read_registry
from bps.leadership.modes import Mode, Reason
from bps.replay.verify import verify
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.doubles.scene import registration
from tests.unit.keyring.people import key_of

INTERVAL_S = 0.2
"""What takes a second in a service, so that the tests need not wait for it."""


@pytest.fixture(autouse=True)
def checkpoints_come_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", INTERVAL_S)


@asynccontextmanager
async def sidecar(
    store: MemoryStore, mirror_dir: Path | None = None, *, signer: PrivateKey | None = None
) -> AsyncIterator[Sidecar]:
    settings = SidecarSettings("test", signer=signer or key_of(1), mirror_dir=mirror_dir)
    async with Sidecar(store, SystemClock(), settings) as running:
        await running.terms.decided()
        yield running


async def register(running: Sidecar, plan: str) -> None:
    await running.execute(registration(plan))


async def below(store: MemoryStore, prefix: bytes) -> tuple[KV, ...]:
    return (await store.page(prefix, after_prefix(prefix), limit=10_000)).kvs


async def chain(store: MemoryStore) -> list[Checkpoint]:
    return [Checkpoint.decode(kv.value) for kv in await below(store, keys.CHECKPOINTS)]


async def covered(store: MemoryStore, *plans: str) -> bool:
    found = await chain(store)
    return {plan for checkpoint in found for plan in checkpoint.heads} >= set(plans)


@asynchronous
async def test_a_sidecar_registers_its_key_and_checkpoints_and_mirrors(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store, tmp_path) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
        await eventually(lambda: _mirrors(tmp_path, store), "the mirror holds what the store holds")
        assert running.checkpoints.problem is None
        assert (await read_registry(store)).keys[key_of(1).public.key_id].may(Purpose.CHECKPOINT)
        verified = await verify(store, "EP-1", claims=await witnesses(store, "EP-1", tmp_path))
        assert verified.checkpointed == 1


async def _mirrors(path: Path, store: MemoryStore) -> bool:
    return [data for _, data in mirrored(path)] == [
        kv.value for kv in await below(store, keys.CHECKPOINTS)
    ]


@asynchronous
async def test_an_idle_sidecar_writes_no_checkpoint() -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
        before = len(await chain(store))
        # One interval more than a second checkpoint would need.
        await running.clock.sleep(2 * INTERVAL_S + 0.2)
        assert len(await chain(store)) == before


@asynchronous
async def test_a_new_leader_covers_what_the_last_one_left(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
    unsigned = SidecarSettings("without a key")
    async with Sidecar(store, SystemClock(), unsigned) as running:
        await running.terms.decided()
        await register(running, "EP-2")
        assert not await covered(store, "EP-2")
    async with sidecar(store):
        await eventually(lambda: covered(store, "EP-2"), "EP-2 is checkpointed")


@asynchronous
async def test_a_standby_that_takes_over_covers_at_once_what_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", 3_600.0)
    store = MemoryStore(SystemClock())
    unsigned = SidecarSettings("without a key")
    async with Sidecar(store, SystemClock(), unsigned) as first:
        await first.terms.decided()
        async with sidecar(store) as standby:
            await register(first, "EP-1")
            first.terms.lost()
            await eventually(partial(_leads, standby), "it leads")
            await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")


@asynchronous
async def test_after_a_look_that_found_nothing_the_next_change_waits_for_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store):
        await eventually(partial(_covers_key, store, key_of(1)), "its key is covered")
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", 3_600.0)
    async with sidecar(store) as running:

        async def looked() -> bool:
            return not running.checkpoints._changed.is_set()

        await eventually(looked, "all is covered")
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")


@asynchronous
async def test_the_key_of_a_sidecar_that_comes_waits_for_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", 3_600.0)
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
        settings = SidecarSettings("comes", signer=key_of(2))
        async with Sidecar(store, SystemClock(), settings):
            await eventually(partial(_covers_key, store, key_of(2)), "its key is covered")


@asynchronous
async def test_a_new_leader_reads_all_heads_where_history_is_compacted() -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
    async with Sidecar(store, SystemClock(), SidecarSettings("without a key")) as running:
        await running.terms.decided()
        for n in range(2, 60):
            await register(running, f"EP-{n}")
        await store.compact((await store.page(b"a", b"b", limit=1)).revision)
    async with sidecar(store):
        plans = [f"EP-{n}" for n in range(1, 60)]
        await eventually(lambda: covered(store, *plans), "all are checkpointed")
    heads = [plan for checkpoint in await chain(store) for plan in checkpoint.heads]
    assert len(heads) == len(set(heads)) == 59


@asynchronous
async def test_more_than_fits_is_spread_over_checkpoints_and_none_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", 1.0)
    store = MemoryStore(SystemClock())
    async with Sidecar(store, SystemClock(), SidecarSettings("without a key")) as running:
        await running.terms.decided()
        for n in range(1, 131):
            await register(running, f"EP-{n}")
    async with sidecar(store):
        plans = [f"EP-{n}" for n in range(1, 131)]
        await eventually(lambda: covered(store, *plans), "all are checkpointed")
    found = await chain(store)
    assert [len(checkpoint.heads) for checkpoint in found] == [100, 30]
    assert found[0].revision < found[1].revision
    assert found[1].time_ms - found[0].time_ms < 900, "a backlog waits for no interval"


@asynchronous
async def test_where_holders_keep_the_registry_an_unknown_key_signs_nothing() -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        for n, holder in enumerate(("alice", "bob", "carol"), 2):
            command = AddKey("op", f"key-{n}", key_of(n).public, holder, (Purpose.HOLDER,))
            await running.execute(command)
    async with sidecar(store, signer=key_of(9)) as running:
        await register(running, "EP-1")
        await eventually(lambda: _has_problem(running), "the problem is known")
        assert "holders have to approve" in str(running.checkpoints.problem)
        assert running.terms.mode is Mode.READ_WRITE
    assert not await covered(store, "EP-1")


async def _has_problem(running: Sidecar) -> bool:
    return running.checkpoints.problem is not None


@asynchronous
async def test_a_rollback_while_running_ends_the_term_and_no_other_begins(tmp_path: Path) -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store, tmp_path) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
        await eventually(lambda: _mirrors(tmp_path, store), "it is mirrored")
        *_, last = await below(store, keys.CHECKPOINTS)
        other = Checkpoint.decode(last.value).model_copy(update={"nonce": "0" * 32})
        await store.commit(Txn((), (Put(last.key, other.encode()),)))
        await eventually(lambda: _is_read_only(running), "it is read-only")
        assert isinstance(running.mirror.problem, StoreRolledBack)
    async with sidecar(store, tmp_path) as again:
        await eventually(lambda: _is_read_only(again), "a new process is read-only too")


async def _is_read_only(running: Sidecar) -> bool:
    return (running.terms.mode, running.terms.reason) == (Mode.READ_ONLY, Reason.STORE_ROLLED_BACK)


@asynchronous
async def test_a_checkpoint_that_disappears_is_noticed_without_a_mirror_on_disk() -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        for plan in ("EP-1", "EP-2"):
            await register(running, plan)
            await eventually(partial(covered, store, plan), "it is checkpointed")
        await eventually(lambda: _has_mirrored(running, 2), "it is mirrored")
        await store.commit(Txn((), (Delete(keys.checkpoint(1)),)))
        await eventually(lambda: _mirror_problem(running), "it is noticed")
        assert "Checkpoint 1 was removed" in str(running.mirror.problem)


async def _has_mirrored(running: Sidecar, seq: int) -> bool:
    last = running.mirror.mirror.last
    return last is not None and last.seq == seq


async def _mirror_problem(running: Sidecar) -> bool:
    return running.mirror.problem is not None


@asynchronous
async def test_a_plan_that_was_truncated_is_named_by_the_keeper() -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
        (head,) = await below(store, PlanKeys("EP-1").head)
        await store.commit(Txn((), (Delete(PlanKeys("EP-1").event(1)), Put(head.key, head.value))))
        await eventually(lambda: _diverged(running), "the plan is named")
        assert running.checkpoints.diverged == {"EP-1"}
        await register(running, "EP-2")
        await eventually(lambda: covered(store, "EP-2"), "EP-2 is checkpointed")
    async with sidecar(store) as again:
        await eventually(lambda: _diverged(again), "the next leader names it too")


@asynchronous
async def test_a_damaged_head_stops_its_own_plan_only() -> None:
    store = MemoryStore(SystemClock())
    async with sidecar(store) as running:
        await register(running, "EP-1")
        await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
        await store.commit(Txn((), (Put(PlanKeys("EP-1").head, b"{}"),)))
        await register(running, "EP-2")
        await eventually(lambda: covered(store, "EP-2"), "EP-2 is checkpointed")
        assert running.checkpoints.diverged == {"EP-1"}
    async with sidecar(store) as running:
        await register(running, "EP-3")
        await eventually(lambda: covered(store, "EP-3"), "EP-3 is checkpointed")
        assert running.checkpoints.diverged == {"EP-1"}


async def _diverged(running: Sidecar) -> bool:
    return bool(running.checkpoints.diverged)


@asynchronous
async def test_two_sidecars_mirror_and_go_on_with_each_others_chain(tmp_path: Path) -> None:
    store, a, b = MemoryStore(SystemClock()), tmp_path / "a", tmp_path / "b"
    async with sidecar(store, b, signer=key_of(2)) as second:
        # The one that came first leads, until it is told that its term is over.
        await register(second, "EP-1")
        async with sidecar(store, a) as first:
            known = AddKey("op", "key-1", key_of(1).public, "bps", (Purpose.CHECKPOINT,))
            await second.execute(known)
            await eventually(lambda: covered(store, "EP-1"), "EP-1 is checkpointed")
            await eventually(partial(_covers_key, store, key_of(1)), "the key is covered")
            await eventually(lambda: _mirrors(b, store), "the leader mirrors")
            second.terms.lost()
            await eventually(partial(_leads, first), "the other one leads", deadline_s=20.0)
            await register(first, "EP-2")
            await eventually(lambda: covered(store, "EP-2"), "EP-2 is checkpointed")
            await eventually(lambda: _mirrors(b, store), "the one that does not lead mirrors")
            assert (await chain(store))[-1].key_id == key_of(1).public.key_id
            assert second.mirror.problem is None
            assert first.mirror.problem is None


async def _covers_key(store: MemoryStore, key: PrivateKey) -> bool:
    return any(key.public.key_id in checkpoint.keys for checkpoint in await chain(store))


async def _leads(running: Sidecar) -> bool:
    return running.terms.mode is Mode.READ_WRITE
