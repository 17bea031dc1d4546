"""What a rollback lost leaves the mirror, and nothing else does; by bisection of its file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bps.checkpoints.accept import AcceptRollback, shown
from bps.checkpoints.mirror import Mirror
from bps.checkpoints.mirror_lines import MAX_RECENT, Mirrored, mirrored, recent_in
from bps.checkpoints.model import NO_CHECKPOINT, Checkpoint, CheckpointTip, hash_of
from bps.checkpoints.rollback import agree
from bps.core import keys
from bps.core.errors import StoreRolledBack, WrongState
from bps.core.ports import Key
from bps.core.txn import Put, Txn
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.doubles.authority import HeldAuthority
from tests.doubles.manual_clock import ManualClock
from tests.unit.keyring.people import key_of

SIGNER = key_of(1)


def chain(count: int, fork_at: int | None = None) -> list[Mirrored]:
    """`count` checkpoints; from number `fork_at` on with other nonces."""
    found: list[Mirrored] = []
    prev = NO_CHECKPOINT
    for seq in range(1, count + 1):
        forked = fork_at is not None and seq >= fork_at
        fields = {"seq": seq, "nonce": ("f" if forked else "0") * 32, "prev": prev}
        rest = {"revision": seq, "time_ms": 1, "heads": {}, "keys": {}}
        stored = Checkpoint.signed(SIGNER, **fields, **rest).encode()
        prev = hash_of(stored)
        found.append(Mirrored(seq, stored))
    return found


async def store_of(checkpoints: list[Mirrored], clock: ManualClock) -> MemoryStore:
    store = MemoryStore(clock)
    for each in checkpoints:
        tip = CheckpointTip(seq=each.seq, hash=each.hash, revision=each.seq)
        puts = (
            Put(keys.checkpoint(each.seq), each.stored),
            Put(keys.CHECKPOINT_TIP, tip.encode()),
        )
        await store.commit(Txn((), puts))
    return store


def mirror_of(path: Path, checkpoints: list[Mirrored]) -> Mirror:
    mirror = Mirror.open(path)
    mirror.trust(SIGNER.public)
    for each in checkpoints:
        mirror.append(Checkpoint.decode(each.stored), each.stored)
    return mirror


@pytest.mark.parametrize("common", [0, 1, 2, 7, 129, 130])
@pytest.mark.parametrize("written_on", [False, True])
@asynchronous
async def test_the_lost_part_moves_into_the_archive(
    tmp_path: Path, common: int, written_on: bool
) -> None:
    clock = ManualClock()
    ours = chain(131)
    theirs = chain(140, fork_at=common + 1) if written_on else ours[:common]
    store = await store_of(theirs, clock)
    mirror = mirror_of(tmp_path, ours)
    with pytest.raises(StoreRolledBack) as refused:
        await agree(store, mirror)
    assert "--accept-rollback" in (refused.value.next_action or "")
    assert mirror.last == ours[-1]

    shows = shown(mirror.recent())
    assert [each.seq for each in shows] == list(range(32, 132))
    assert shows == shown(recent_in(tmp_path))
    assert len(shows) == MAX_RECENT
    path = WritePath(store, await HeldAuthority.take(store), clock)
    accepted = (await path.execute(AcceptRollback("o", "a", "why", shows, SIGNER))).result
    assert [each.seq for each in accepted.lost] == list(range(max(32, common + 1), 132))

    witness = await agree(store, mirror)
    assert (witness is None) == (common == 0)
    assert mirror.last == (ours[common - 1] if common else None)
    assert [stored for _, stored in mirrored(tmp_path)] == [each.stored for each in ours[:common]]
    (archive,) = tmp_path.glob("lost-131-*.ndjson")  # noqa: ASYNC240 - a test
    kept = archive.read_bytes().splitlines()
    assert kept == [each.stored for each in ours[common:]]
    mirror.close()


@asynchronous
async def test_a_mirror_that_saw_more_than_was_accepted_goes_on_refusing(tmp_path: Path) -> None:
    clock = ManualClock()
    ours = chain(5)
    store = await store_of(ours[:2], clock)
    path = WritePath(store, await HeldAuthority.take(store), clock)
    await path.execute(AcceptRollback("o", "a", "why", shown(ours[:4]), SIGNER))
    mirror = mirror_of(tmp_path / "ahead", ours)
    with pytest.raises(StoreRolledBack):
        await agree(store, mirror)
    covered = mirror_of(tmp_path / "behind", ours[:3])
    assert await agree(store, covered) is not None
    await path.execute(AcceptRollback("o", "b", "that too", shown(ours), SIGNER))
    assert await agree(store, mirror) is not None
    again = await path.execute(AcceptRollback("o", "c", "twice", shown(ours), SIGNER))
    assert (again.how, again.result.n) == ("noop", 2)
    with pytest.raises(WrongState, match="there is no rollback"):
        await path.execute(AcceptRollback("o", "d", "why", shown(ours[:2]), SIGNER))
    mirror.close()
    covered.close()


@asynchronous
async def test_an_acceptance_counts_only_in_a_store_that_holds_what_was_accepted(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    ours = chain(5)
    store = await store_of(ours[:3], clock)
    path = WritePath(store, await HeldAuthority.take(store), clock)
    await path.execute(AcceptRollback("o", "a", "why", shown(ours), SIGNER))
    (record,) = (await store.snapshot([Key(keys.rollback(1))])).answers[0]
    further = await store_of(ours[:1], clock)
    await further.commit(Txn((), (Put(record.key, record.value),)))
    mirror = mirror_of(tmp_path, ours)
    with pytest.raises(StoreRolledBack, match="went back further"):
        await agree(further, mirror)
    assert mirror.last == ours[-1]
    assert await agree(store, mirror) is not None
    mirror.close()


@asynchronous
async def test_a_forged_acceptance_does_not_stand_in_the_way_of_a_signed_one(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    ours = chain(5)
    store = await store_of(ours[:3], clock)
    path = WritePath(store, await HeldAuthority.take(store), clock)
    forger = key_of(2)
    await path.execute(AcceptRollback("x", "x", "forged", shown(ours), forger))
    mirror = mirror_of(tmp_path, ours)
    with pytest.raises(StoreRolledBack, match="does not trust"):
        await agree(store, mirror)
    signed = await path.execute(AcceptRollback("o", "a", "why", shown(ours), SIGNER))
    assert (signed.how, signed.result.n) == ("committed", 2)
    await path.execute(AcceptRollback("x", "y", "forged again", shown(ours), forger))
    assert await agree(store, mirror) is not None
    assert mirror.last == ours[2]
    mirror.close()


@asynchronous
async def test_who_is_cancelled_leaves_the_mirror_only_once_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    ours = chain(3)
    store = await store_of(ours[:2], clock)
    path = WritePath(store, await HeldAuthority.take(store), clock)
    await path.execute(AcceptRollback("o", "a", "why", shown(ours), SIGNER))
    mirror = mirror_of(tmp_path, ours)
    begun, go_on, cut = threading.Event(), threading.Event(), mirror.cut

    def slow(offset: int, last: Mirrored | None, archive: str) -> None:
        begun.set()
        go_on.wait(10)
        cut(offset, last, archive)

    monkeypatch.setattr(mirror, "cut", slow)
    agreeing = asyncio.create_task(agree(store, mirror))
    await asyncio.to_thread(begun.wait, 10)
    agreeing.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not agreeing.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await agreeing
    assert mirror.last == ours[1]
    mirror.close()
