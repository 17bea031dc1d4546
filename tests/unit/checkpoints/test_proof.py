"""`bps verify` against checkpoints and a mirror: truncation, rewriting, restoring, forging."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.checkpoints.follow import catch_up
from bps.checkpoints.mirror import Mirror
from bps.checkpoints.model import Checkpoint, CheckpointTip, PlanCheckpoint, hash_of
from bps.checkpoints.proof import witnesses
from bps.checkpoints.read import one_checkpoint
from bps.core import keys
from bps.core.errors import BadSignature, ChainBroken, StoreRolledBack
from bps.core.txn import Delete, Put
from bps.replay.verify import Verified, verify
from tests.asynchronous import asynchronous
from tests.doubles.scene import PLAN, Scene
from tests.unit.checkpoints.trail import SIGNER, Trail
from tests.unit.keyring.people import key_of


async def proven(trail: Trail, mirror: Path | None = None, plan: str = PLAN) -> Verified:
    store = trail.scene.store
    return await verify(store, plan, claims=await witnesses(store, plan, mirror))


async def mirror_of(trail: Trail, path: Path) -> Path:
    """The mirror in `path`, brought up to date."""
    mirror = Mirror.open(path)
    try:
        await catch_up(trail.scene.memory, mirror)
    finally:
        mirror.close()
    return path


@asynchronous
async def test_a_log_that_holds_what_its_checkpoint_names_verifies() -> None:
    trail = await Trail.make()
    assert (await proven(trail)).checkpointed is None
    await trail.scene.open("T1")
    await trail.advance(PLAN)
    await trail.scene.open("T2")
    result = await proven(trail)
    assert (result.events, result.checkpointed) == (3, 2)


@asynchronous
async def test_finding_the_witness_takes_three_round_trips_whatever_else_is_stored() -> None:
    trail = await Trail.make()
    for n in range(2, 30):
        await trail.scene.register(plan=f"EP-{n}")
        await trail.advance(f"EP-{n}")
    await trail.advance(PLAN)
    trail.scene.store.reset()
    assert len(await witnesses(trail.scene.store, PLAN)) == 1
    assert len(trail.scene.store.calls) == 3


@asynchronous
async def test_a_truncated_log_is_named_although_its_chain_is_sound() -> None:
    trail = await Trail.make()
    await trail.scene.open("T1")
    await trail.scene.open("T2")
    await trail.advance(PLAN)
    await trail.truncate(2)
    assert (await verify(trail.scene.store, PLAN)).events == 2
    with pytest.raises(ChainBroken, match="checkpoint 1 names it, but the log ends at 2"):
        await proven(trail)


@asynchronous
async def test_a_full_legal_rewrite_is_named_even_after_further_work(tmp_path: Path) -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    mirror = await mirror_of(trail, tmp_path / "mirror")
    await trail.rewrite(await Scene.make(content=b"another"))
    trail.scene.path = trail.scene.cold()
    await trail.scene.open("T1")
    await trail.advance(PLAN)
    assert (await verify(trail.scene.store, PLAN)).events == 2
    with pytest.raises(ChainBroken, match="history was rewritten") as bad:
        await proven(trail)
    assert bad.value.facts["index"] == 1
    with pytest.raises(ChainBroken, match="history was rewritten"):
        await proven(trail, mirror)


@asynchronous
async def test_the_mirror_sees_a_rewrite_whose_index_was_rewritten_too(tmp_path: Path) -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    mirror = await mirror_of(trail, tmp_path / "mirror")
    await trail.rewrite(await Scene.make(content=b"another"))
    await trail.tamper(Delete(keys.checkpointed(PLAN)))
    assert (await proven(trail)).checkpointed is None
    with pytest.raises(ChainBroken, match="mirrored checkpoint 1"):
        await proven(trail, mirror)


@asynchronous
async def test_an_index_that_names_what_its_checkpoint_does_not_say_is_refused() -> None:
    trail = await Trail.make()
    await trail.scene.open("T1")
    await trail.advance(PLAN)
    head = (await trail.scene.log())[0][0]
    lie = PlanCheckpoint(checkpoint=1, seq=1, hash=head.body_digest)
    await trail.tamper(Put(keys.checkpointed(PLAN), lie.encode()))
    with pytest.raises(ChainBroken, match="does not name"):
        await proven(trail)
    beyond = PlanCheckpoint(checkpoint=9, seq=1, hash=head.body_digest)
    await trail.tamper(Put(keys.checkpointed(PLAN), beyond.encode()))
    with pytest.raises(ChainBroken, match="chain ends before"):
        await proven(trail)


@asynchronous
async def test_a_forged_or_unregistered_signature_is_refused() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    await trail.scene.open("T1")
    await trail.advance(PLAN)
    good = (await trail.chain())[1][0]
    forged = good.model_copy(update={"time_ms": good.time_ms + 1})
    for bad, why in (
        (forged, "not the one"),
        (good.model_copy(update={"key_id": key_of(2).public.key_id}), "not the one"),
    ):
        await trail.tamper(Put(keys.checkpoint(2), bad.encode()))
        with pytest.raises(ChainBroken, match=why):
            await proven(trail)
    await trail.tamper(
        Put(keys.checkpoint(2), good.encode()), Delete(keys.key(SIGNER.public.key_id))
    )
    with pytest.raises(BadSignature, match="not in the registry"):
        await proven(trail)


@asynchronous
async def test_what_a_key_signed_before_it_was_revoked_stays_proven() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    trail.scene.clock.move(1.0)
    await trail.revoke(SIGNER)
    assert (await proven(trail)).checkpointed == 1


@asynchronous
async def test_a_clock_that_was_ahead_makes_no_checkpoint_doubtful() -> None:
    trail = await Trail.make()
    trail.scene.clock.set_wall(60_000)
    await trail.advance(PLAN)
    trail.scene.clock.set_wall(-50_000)
    await trail.revoke(SIGNER)
    assert (await proven(trail)).checkpointed == 1


@asynchronous
async def test_who_has_a_revoked_key_cannot_date_a_checkpoint_back() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    ((last, _),) = await trail.chain()
    trail.scene.clock.move(1.0)
    await trail.revoke(SIGNER)
    fields = {
        name: getattr(last, name)
        for name in ("seq", "prev", "revision", "time_ms", "heads", "keys")
    }
    forged = Checkpoint.signed(SIGNER, **fields, nonce="f" * 32).encode()
    tip = CheckpointTip(seq=last.seq, hash=hash_of(forged), revision=last.revision)
    await trail.tamper(
        Put(keys.checkpoint(last.seq), forged), Put(keys.CHECKPOINT_TIP, tip.encode())
    )
    with pytest.raises(BadSignature, match="revoked before"):
        await proven(trail)
    with pytest.raises(BadSignature, match="revoked before"):
        await one_checkpoint(trail.scene.memory, last.seq)


@asynchronous
async def test_a_mirror_names_a_store_that_was_restored_and_written_on(tmp_path: Path) -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    before = await trail.scene.below(keys.ROOT)
    await trail.scene.open("T1")
    await trail.advance(PLAN)
    mirror = await mirror_of(trail, tmp_path / "mirror")
    present = {kv.key for kv in await trail.scene.below(keys.ROOT)}
    gone = [Delete(key) for key in present - {kv.key for kv in before}]
    await trail.tamper(*gone, *(Put(kv.key, kv.value) for kv in before))
    with pytest.raises(StoreRolledBack, match="chain ends at 1"):
        await proven(trail, mirror)
    trail.scene.path = trail.scene.cold()
    await trail.scene.open("T7")
    trail.scene.clock.move(1.0)
    await trail.advance(PLAN)
    await trail.scene.open("T8")
    await trail.advance(PLAN)
    assert (await proven(trail)).events == 3
    with pytest.raises(StoreRolledBack, match="not the one in the mirror"):
        await proven(trail, mirror)
