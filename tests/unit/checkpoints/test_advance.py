"""What the next checkpoint holds, and what it refuses to sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.checkpoints.model import (
    MAX_HEADS,
    MAX_KEYS_COVERED,
    Checkpoint,
    CheckpointedHead,
    CheckpointTip,
    hash_of,
    signature_verifies,
)
from bps.core import keys
from bps.core.errors import ChainBroken, WrongState
from bps.core.keys import PlanKeys
from bps.core.txn import MAX_OPERATIONS, Delete, Put
from tests.asynchronous import asynchronous
from tests.doubles.scene import PLAN, Scene
from tests.unit.checkpoints.trail import SIGNER, Trail
from tests.unit.keyring.people import key_of


@asynchronous
async def test_checkpoints_are_a_signed_chain_over_the_heads_that_changed() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN, covering=(SIGNER,))
    await trail.scene.open("T1")
    await trail.advance(PLAN)
    (first, first_bytes), (second, second_bytes) = await trail.chain()
    assert (first.seq, first.prev) == (1, "0" * 64)
    assert (second.seq, second.prev) == (2, hash_of(first_bytes))
    head = await trail.scene.head()
    assert second.heads == {PLAN: CheckpointedHead(seq=head.seq, hash=head.hash)}
    assert list(first.keys) == [SIGNER.public.key_id]
    assert all(signature_verifies(stored, SIGNER.public) for stored in (first_bytes, second_bytes))
    (tip,) = await trail.scene.below(keys.CHECKPOINT_TIP)
    assert CheckpointTip.decode(tip.value).hash == hash_of(second_bytes)


@asynchronous
async def test_nothing_new_is_no_checkpoint() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    assert (await trail.advance(PLAN)).how == "noop"
    assert (await trail.advance()).how == "noop"
    assert len(await trail.chain()) == 1


@asynchronous
async def test_the_covered_revision_waits_for_what_did_not_fit() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    await trail.scene.open("T1")
    await trail.advance(PLAN, complete=False)
    await trail.scene.open("T2")
    await trail.advance(PLAN)
    first, second, third = [checkpoint.revision for checkpoint, _ in await trail.chain()]
    assert first == second < third


@asynchronous
async def test_a_checkpoint_takes_three_round_trips() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    await trail.scene.open("T1")
    trail.scene.store.reset()
    await trail.advance(PLAN)
    assert len(trail.scene.store.calls) == 3


@asynchronous
async def test_a_full_checkpoint_fits_into_one_transaction() -> None:
    trail = await Trail.make(plan=None)
    plans = [f"EP-{n}" for n in range(1, MAX_HEADS + 1)]
    for plan in plans:
        await trail.scene.register(plan=plan)
    signers = [key_of(n) for n in range(2, MAX_KEYS_COVERED + 1)]
    for key in signers:
        await trail.register(key)
    outcome = await trail.advance(*plans, covering=(SIGNER, *signers))
    assert outcome.result.heads == MAX_HEADS
    (_, stored) = (await trail.chain())[0]
    assert len(stored) < 16_384
    # Checkpoint, tip and the operation's own record come on top.
    assert MAX_HEADS + 3 <= MAX_OPERATIONS


@asynchronous
async def test_a_key_that_is_not_registered_or_revoked_signs_nothing() -> None:
    trail = await Trail.make()
    trail.signer = key_of(2)
    with pytest.raises(WrongState, match="not registered"):
        await trail.advance(PLAN)
    await trail.register(trail.signer)
    await trail.advance(PLAN)
    await trail.revoke(trail.signer)
    await trail.scene.open("T1")
    with pytest.raises(WrongState, match="revoked"):
        await trail.advance(PLAN)


@asynchronous
async def test_a_plan_that_lost_a_checkpointed_event_is_not_signed_again_but_others_are() -> None:
    trail = await Trail.make()
    await trail.scene.register(plan="EP-2")
    await trail.scene.open("T1")
    await trail.advance(PLAN, "EP-2")
    await trail.truncate(1)
    await trail.scene.open("T9", plan="EP-2")
    outcome = await trail.advance(PLAN, "EP-2")
    assert outcome.result.diverged == [PLAN]
    (before, _), (last, _) = await trail.chain()
    assert list(last.heads) == ["EP-2"]
    assert last.revision == before.revision, "not all changes up to now are in it"


@asynchronous
async def test_a_damaged_index_stops_its_own_plan_only() -> None:
    trail = await Trail.make()
    await trail.scene.register(plan="EP-2")
    await trail.advance(PLAN, "EP-2")
    await trail.tamper(Put(keys.checkpointed(PLAN), b"{}"))
    await trail.scene.open("T1")
    await trail.scene.open("T1", plan="EP-2")
    assert (await trail.advance(PLAN, "EP-2")).result.diverged == [PLAN]
    assert list((await trail.chain())[-1][0].heads) == ["EP-2"]


@asynchronous
async def test_a_rewritten_plan_is_not_signed_again() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    await trail.rewrite(await Scene.make(content=b"another"))
    assert (await trail.advance(PLAN)).result.diverged == [PLAN]
    assert len(await trail.chain()) == 1


@pytest.mark.parametrize("how", ["removed", "changed"])
@asynchronous
async def test_nothing_is_signed_after_a_tip_that_is_not_what_it_was(how: str) -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    other = (await trail.chain())[0][0].model_copy(update={"nonce": "f" * 32})
    place = keys.checkpoint(1)
    await trail.tamper(Delete(place) if how == "removed" else Put(place, other.encode()))
    await trail.scene.open("T1")
    with pytest.raises(ChainBroken, match=how.removesuffix("removed") or "missing"):
        await trail.advance(PLAN)


@asynchronous
async def test_an_event_beyond_the_head_does_not_disturb() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    await trail.tamper(Put(PlanKeys(PLAN).event(9), b"{}"))
    await trail.scene.open("T1")
    assert (await trail.advance(PLAN)).result.diverged == []


@given(st.data())
def test_any_other_byte_breaks_the_signature(data: st.DataObject) -> None:
    stored = Checkpoint.signed(
        SIGNER,
        seq=7,
        nonce="ab" * 16,
        prev="0" * 64,
        revision=1,
        time_ms=1,
        heads={PLAN: CheckpointedHead(seq=1, hash="c" * 64)},
        keys={},
    ).encode()
    assert signature_verifies(stored, SIGNER.public)
    assert not signature_verifies(stored, key_of(2).public)
    at = data.draw(st.integers(0, len(stored) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != stored[at]))
    assert not signature_verifies(stored[:at] + bytes([byte]) + stored[at + 1 :], SIGNER.public)
    assert not signature_verifies(stored.replace(b",", b", ", 1), SIGNER.public)
