"""Who may change the key registry: an operator alone at first, a majority of holders from three."""

from __future__ import annotations

import base64

import pytest

from bps.core.errors import ApprovalsMissing, Exists, InvalidInput, NotFound, WrongState
from bps.keyring.change import AddKey, new_key
from bps.keyring.model import Purpose
from bps.keyring.registry import MAX_APPROVAL_MS
from bps.keyring.statement import STATEMENT_TYPE, approval_of, approve
from tests.asynchronous import asynchronous
from tests.doubles.scene import Scene
from tests.unit.keyring.people import HOLDER, HOUR_MS, People, approval, key_of

CHECKPOINT = (Purpose.CHECKPOINT,)


async def people() -> People:
    return People(await Scene.make(plan=None))


@asynchronous
async def test_an_operator_alone_registers_the_first_three_holders() -> None:
    who = await people()
    keys = await who.three_holders()
    registry = await who.registry()
    assert [registry.keys[key.public.key_id].holder for key in keys] == ["alice", "bob", "carol"]
    assert (registry.sequence, registry.approvals_needed) == (3, 2)


@asynchronous
async def test_from_three_holders_on_an_operators_word_changes_nothing() -> None:
    who = await people()
    alice, bob, _ = await who.three_holders()
    before = await who.registry()
    with pytest.raises(ApprovalsMissing, match="2 of them must approve"):
        await who.add("dave", key_of(4))
    with pytest.raises(ApprovalsMissing):
        await who.revoke(alice)
    with pytest.raises(ApprovalsMissing):
        await who.rotate(bob, key_of(4))
    assert await who.registry() == before


@asynchronous
async def test_two_of_three_replace_a_key_that_is_lost() -> None:
    who = await people()
    alice, bob, carol = await who.three_holders()
    new = new_key(key_of(9).public, "carol", HOLDER)
    approvals = [await who.approve(key, "rotate", carol, new) for key in (alice, bob)]
    result = await who.rotate(carol, key_of(9), *approvals)
    registry = await who.registry()
    assert registry.holders == {"alice", "bob", "carol"}
    old = registry.keys[carol.public.key_id]
    assert (old.valid, old.replaced_by) == (False, result.key_id)
    assert registry.keys[result.key_id].approvals == approvals


@asynchronous
async def test_one_holder_with_two_keys_is_one_holder() -> None:
    who = await people()
    alice, bob, _ = await who.three_holders()
    second = key_of(4)
    adding = new_key(second.public, "alice", HOLDER)
    await who.add(
        "alice", second, *[await who.approve(key, "add", second, adding) for key in (alice, bob)]
    )
    third = new_key(key_of(5).public, "mallory", HOLDER)
    twice = [await who.approve(key, "add", key_of(5), third) for key in (alice, second)]
    with pytest.raises(ApprovalsMissing) as refused:
        await who.add("mallory", key_of(5), *twice)
    assert refused.value.facts["counted"] == 1


@asynchronous
async def test_a_key_has_no_say_in_its_own_end() -> None:
    who = await people()
    alice, bob, _ = await who.three_holders()
    new = new_key(key_of(9).public, "alice", HOLDER)
    for_rotation = [await who.approve(key, "rotate", alice, new) for key in (alice, bob)]
    for_revocation = [await who.approve(key, "revoke", alice) for key in (alice, bob)]
    with pytest.raises(ApprovalsMissing, match="no say in its own rotation"):
        await who.rotate(alice, key_of(9), *for_rotation)
    with pytest.raises(ApprovalsMissing, match="no say in its own revocation"):
        await who.revoke(alice, *for_revocation)


@asynchronous
async def test_custody_never_falls_back_to_an_operators_word() -> None:
    who = await people()
    alice, bob, carol = await who.three_holders()
    signed = [await who.approve(key, "revoke", carol) for key in (alice, bob)]
    with pytest.raises(WrongState, match="rotate"):
        await who.revoke(carol, *signed)
    assert (await who.registry()).in_custody


@asynchronous
async def test_an_approval_serves_once_and_not_after_another_change() -> None:
    who = await people()
    alice, bob, _ = await who.three_holders()
    dave, erin = key_of(4), key_of(5)
    for_dave = new_key(dave.public, "dave", CHECKPOINT)
    for_erin = new_key(erin.public, "erin", CHECKPOINT)
    early = [await who.approve(key, "add", erin, for_erin) for key in (alice, bob)]
    signed = [await who.approve(key, "add", dave, for_dave) for key in (alice, bob)]
    await who.add("dave", dave, *signed, purposes=CHECKPOINT)
    with pytest.raises(ApprovalsMissing, match="has changed since"):
        await who.add("erin", erin, *early, purposes=CHECKPOINT)
    with pytest.raises(ApprovalsMissing, match="another change"):
        await who.revoke(dave, *signed)


@pytest.mark.parametrize("expires_in_ms", [0, -1, MAX_APPROVAL_MS + HOUR_MS])
@asynchronous
async def test_an_approval_that_expired_or_never_would_does_not_count(expires_in_ms: int) -> None:
    who = await people()
    alice, bob, _ = await who.three_holders()
    adding = new_key(key_of(4).public, "dave", HOLDER)
    signed = [
        await who.approve(key, "add", key_of(4), adding, expires_in_ms=expires_in_ms)
        for key in (alice, bob)
    ]
    with pytest.raises(ApprovalsMissing, match="expired"):
        await who.add("dave", key_of(4), *signed)


@asynchronous
async def test_an_approval_for_another_store_holder_or_purpose_does_not_count() -> None:
    who, elsewhere = await people(), await people()
    alice, bob, _ = await who.three_holders()
    elsewhere.scene.clock.move(1.0)
    await elsewhere.three_holders()
    dave = key_of(4)
    meant = new_key(dave.public, "dave", CHECKPOINT)
    foreign = [await elsewhere.approve(key, "add", dave, meant) for key in (alice, bob)]
    own = [await who.approve(key, "add", dave, meant) for key in (alice, bob)]
    with pytest.raises(ApprovalsMissing):
        await who.add("dave", dave, *foreign, purposes=CHECKPOINT)
    with pytest.raises(ApprovalsMissing):
        await who.add("mallory", dave, *own, purposes=CHECKPOINT)
    with pytest.raises(ApprovalsMissing):
        await who.add("dave", dave, *own, purposes=(Purpose.CHECKPOINT, Purpose.OVERRIDE))
    assert (await who.add("dave", dave, *own, purposes=CHECKPOINT)).holders == 3


@asynchronous
async def test_a_forged_signature_or_a_foreign_key_does_not_count() -> None:
    who = await people()
    alice, bob, _ = await who.three_holders()
    dave = key_of(4)
    adding = new_key(dave.public, "dave", HOLDER)
    good = await who.approve(alice, "add", dave, adding)
    by_dave = await who.approve(dave, "add", dave, adding)
    forged = good.model_copy(update={"key_id": bob.public.key_id})
    for bad, why in ((forged, "does not verify"), (by_dave, "no valid holder")):
        with pytest.raises(ApprovalsMissing, match=why):
            await who.add("dave", dave, good, bad)


@asynchronous
async def test_the_same_key_again_changes_nothing_and_another_meaning_is_refused() -> None:
    who = await people()
    key = key_of(1)
    await who.add("bps", key, purposes=CHECKPOINT)
    again = await who.scene.path.execute(AddKey("op", "x", key.public, "bps", CHECKPOINT))
    assert again.how == "noop"
    with pytest.raises(Exists):
        await who.add("bps", key)
    await who.revoke(key)
    with pytest.raises(Exists):
        await who.add("bps", key, purposes=CHECKPOINT)
    with pytest.raises(WrongState):
        await who.revoke(key)
    with pytest.raises(NotFound):
        await who.revoke(key_of(2))


def test_an_envelope_that_holds_no_statement_is_refused() -> None:
    signed = approve(b'{"a":1}', key_of(1))
    with pytest.raises(InvalidInput, match="key statement"):
        approval(signed)
    with pytest.raises(InvalidInput, match="payloadType"):
        approval({**signed, "payloadType": "text/plain"})
    with pytest.raises(InvalidInput, match="key statement"):
        approval_of("!", STATEMENT_TYPE, "ab" * 8, "")


@asynchronous
async def test_only_the_canonical_bytes_of_a_statement_are_accepted() -> None:
    who = await people()
    alice, *_ = await who.three_holders()
    statement = (await who.registry()).statement("revoke", alice.public.key_id, None, 1)
    spaced = statement.encode().replace(b'":', b'": ')
    with pytest.raises(InvalidInput, match="not canonical"):
        approval(approve(spaced, alice))
    payload = base64.b64encode(statement.encode()).decode()
    with pytest.raises(InvalidInput, match="64 bytes"):
        approval_of(payload, STATEMENT_TYPE, alice.public.key_id, "AAAA")
