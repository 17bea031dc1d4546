"""Credentials are made, replaced and ended; what is stored says exactly that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bps.core import keys
from bps.core.error_catalogue import next_action_of
from bps.core.errors import (
    Exists,
    IdempotencyKeyReused,
    InvalidId,
    LimitExceeded,
    NotFound,
    WrongState,
)
from bps.core.txn import Put, Txn
from bps.identity.certificates import credential_of
from bps.identity.create import CreateToken, NewSecret
from bps.identity.credential import MAX_CREDENTIALS, MAX_OPERATORS, Credential, CredentialRegistry
from bps.identity.end import RevokeToken, RotateToken
from bps.identity.prune import PruneTokens, Pruning, prune_all, prune_command
from bps.identity.read import all_credentials
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.writepath.command import Outcome
from tests.asynchronous import asynchronous
from tests.doubles import WHO, Scene

OPERATOR = frozenset({Role.OPERATOR})
AGENT = frozenset({Role.AGENT})


def secret() -> NewSecret:
    token = Token.generate()
    return NewSecret(token.credential, token.digest)


async def create(scene: Scene, roles: frozenset[Role] = AGENT, **more: Any) -> Credential:
    proof = more.pop("proof", None) or secret()
    command = CreateToken(WHO, scene.op(), more.pop("holder", "someone"), roles, proof, **more)
    return (await scene.path.execute(command)).result


async def registry(scene: Scene) -> CredentialRegistry:
    return CredentialRegistry.decode((await scene.below(keys.TOKEN_REGISTRY))[0].value)


@asynchronous
async def test_a_credential_is_stored_as_it_was_asked_for() -> None:
    scene = await Scene.make(plan=None)
    proof = secret()
    made = await create(scene, frozenset(Role), proof=proof, expires_in_s=60, comment="night")
    now_ms = scene.clock.now_ms()
    assert (made.id, made.digest, made.proof) == (proof.credential, proof.digest, "secret")
    assert made.roles == sorted(Role)
    assert (made.expires_ms, made.created_by, made.comment) == (now_ms + 60_000, WHO, "night")
    assert (await all_credentials(scene.memory)).items == [made]
    assert await registry(scene) == CredentialRegistry(
        total=1, operators={made.id: made.expires_ms}
    )
    assert made.state(now_ms + 59_999) == "valid"
    assert made.state(now_ms + 60_000) == "expired"


@asynchronous
async def test_a_command_on_credentials_is_two_round_trips() -> None:
    scene = await Scene.make(plan=None)
    await create(scene)
    assert scene.store.calls == ["snapshot", "commit"]


@asynchronous
async def test_repeated_with_a_new_secret_it_answers_with_the_first_credential() -> None:
    scene = await Scene.make(plan=None)
    first = CreateToken(WHO, "same", "someone", AGENT, secret())
    made = (await scene.path.execute(first)).result
    again = await scene.path.execute(replace(first, proof=secret()))
    assert (again.how, again.result) == ("repeated", made)
    with pytest.raises(IdempotencyKeyReused):
        await scene.path.execute(replace(first, proof=secret(), roles=OPERATOR))
    assert len((await all_credentials(scene.memory)).items) == 1


@asynchronous
async def test_no_secret_and_no_digest_is_in_what_is_asked_for() -> None:
    proof = secret()
    command = CreateToken(WHO, "op", "someone", AGENT, proof)
    assert command.operation == replace(command, proof=secret()).operation


@asynchronous
async def test_the_service_itself_gets_no_credential() -> None:
    scene = await Scene.make(plan=None)
    with pytest.raises(InvalidId):
        await create(scene, holder="bps")
    assert scene.store.writes == 0


@asynchronous
async def test_a_certificate_s_name_has_one_credential_for_ever() -> None:
    scene = await Scene.make(plan=None)
    made = await create(scene, proof="dns:a.example.org")
    assert (made.id, made.proof, made.digest) == (
        credential_of("dns:a.example.org"),
        "certificate",
        None,
    )
    await scene.path.execute(RevokeToken(WHO, scene.op(), made.id))
    with pytest.raises(Exists):
        await create(scene, proof="dns:a.example.org", holder="other")


@asynchronous
async def test_the_last_valid_operator_cannot_be_revoked_until_there_is_another() -> None:
    scene = await Scene.make(plan=None)
    last = await create(scene, OPERATOR)
    await create(scene)
    with pytest.raises(WrongState) as refused:
        await scene.path.execute(RevokeToken(WHO, scene.op(), last.id))
    assert "bps token create WHO --role operator" in next_action_of(refused.value)
    passing = await create(scene, OPERATOR, expires_in_s=10)
    scene.clock.move(11)
    with pytest.raises(WrongState):
        await scene.path.execute(RevokeToken(WHO, scene.op(), last.id))
    await scene.path.execute(RevokeToken(WHO, scene.op(), passing.id))
    lasting = await create(scene, OPERATOR)
    revoked = (await scene.path.execute(RevokeToken(WHO, scene.op(), last.id))).result
    assert (revoked.revoked_ms, revoked.revoked_by) == (scene.clock.now_ms(), WHO)
    assert (await registry(scene)).operators == {lasting.id: None}


@asynchronous
async def test_two_operators_who_revoke_each_other_at_once_leave_one() -> None:
    scene = await Scene.make(plan=None)
    both = [await create(scene, OPERATOR) for _ in range(2)]
    answers = await asyncio.gather(
        *(scene.path.execute(RevokeToken(WHO, scene.op(), each.id)) for each in both),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Outcome", "WrongState"]


@asynchronous
async def test_revoking_again_changes_nothing_and_what_is_not_there_is_named() -> None:
    scene = await Scene.make(plan=None)
    made = await create(scene)
    await scene.path.execute(RevokeToken(WHO, scene.op(), made.id))
    again = await scene.path.execute(RevokeToken(WHO, scene.op(), made.id))
    assert (again.how, again.result.state(0)) == ("noop", "revoked")
    for command in (
        RevokeToken(WHO, scene.op(), "f" * 16),
        RotateToken(WHO, scene.op(), "f" * 16, secret()),
    ):
        with pytest.raises(NotFound):
            await scene.path.execute(command)


@pytest.mark.parametrize(
    ("lifetime_s", "grace_s", "old_ends_after_s"),
    [(None, 0, 0), (None, 3_600, 3_600), (100, 3_600, 60), (100, 30, 30)],
)
@asynchronous
async def test_a_rotation_ends_the_old_secret_and_lets_the_new_one_last_as_long(
    lifetime_s: int | None, grace_s: int, old_ends_after_s: int
) -> None:
    scene = await Scene.make(plan=None)
    old = await create(scene, OPERATOR, expires_in_s=lifetime_s)
    scene.clock.move(40)
    now_ms = scene.clock.now_ms()
    new_secret = secret()
    rotated = (
        await scene.path.execute(RotateToken(WHO, scene.op(), old.id, new_secret, grace_s))
    ).result
    new, replaced = rotated.credential, rotated.replaced
    assert (new.id, new.digest, new.rotated_from) == (
        new_secret.credential,
        new_secret.digest,
        old.id,
    )
    assert (new.principal, new.roles) == (old.principal, old.roles)
    assert new.expires_ms == (None if lifetime_s is None else now_ms + lifetime_s * 1_000)
    ends_ms = now_ms + old_ends_after_s * 1_000
    assert replaced.state(ends_ms) != "valid"
    assert old_ends_after_s == 0 or replaced.state(ends_ms - 1) == "valid"
    assert replaced in (await all_credentials(scene.memory)).items
    assert (await registry(scene)).total == 2
    assert (await registry(scene)).has_operator(ends_ms)


@asynchronous
async def test_what_has_ended_and_what_has_no_secret_is_not_rotated() -> None:
    scene = await Scene.make(plan=None)
    passing = await create(scene, expires_in_s=10)
    named = await create(scene, proof="cn:a")
    scene.clock.move(10)
    for ended in (passing, named):
        with pytest.raises(WrongState):
            await scene.path.execute(RotateToken(WHO, scene.op(), ended.id, secret()))


@pytest.mark.parametrize(
    "full",
    [
        CredentialRegistry(total=MAX_CREDENTIALS, operators={}),
        CredentialRegistry(total=200, operators={f"{i:016x}": None for i in range(MAX_OPERATORS)}),
    ],
)
@asynchronous
async def test_the_number_of_credentials_is_bounded(full: CredentialRegistry) -> None:
    scene = await Scene.make(plan=None)
    await scene.memory.commit(Txn((), (Put(keys.TOKEN_REGISTRY, full.encode()),)))
    with pytest.raises(LimitExceeded):
        await create(scene, OPERATOR)


@asynchronous
async def test_expired_operators_make_room() -> None:
    scene = await Scene.make(plan=None)
    now_ms = scene.clock.now_ms()
    full = CredentialRegistry(
        total=200, operators={f"{i:016x}": now_ms for i in range(MAX_OPERATORS)}
    )
    await scene.memory.commit(Txn((), (Put(keys.TOKEN_REGISTRY, full.encode()),)))
    made = await create(scene, OPERATOR)
    assert (await registry(scene)).operators == {made.id: None}


DAY_S = 86_400


async def prune(scene: Scene, older_than_s: int = 90 * DAY_S) -> Outcome[Pruning]:
    async def step(op_id: str) -> Outcome[Pruning]:
        now_ms = scene.clock.now_ms()
        return await scene.path.execute(
            await prune_command(scene.memory, WHO, op_id, older_than_s, now_ms)
        )

    return await prune_all(step, scene.op())


@asynchronous
async def test_only_what_ended_long_ago_is_pruned_and_revoked_certificate_names_never() -> None:
    scene = await Scene.make(plan=None)
    kept = await create(scene, OPERATOR)
    revoked = await create(scene, OPERATOR)
    expired = await create(scene, expires_in_s=1)
    old_name = await create(scene, proof="cn:expired", expires_in_s=1)
    bad_name = await create(scene, proof="cn:revoked", expires_in_s=1)
    for each in (revoked, bad_name):
        await scene.path.execute(RevokeToken(WHO, scene.op(), each.id))
    await scene.clock.advance(90 * DAY_S)
    late = await create(scene, expires_in_s=1)
    assert (await prune(scene)).result.pruned == [revoked.id]
    await scene.clock.advance(1)
    assert set((await prune(scene)).result.pruned) == {expired.id, old_name.id}
    assert {each.id for each in (await all_credentials(scene.memory)).items} == {
        kept.id,
        bad_name.id,
        late.id,
    }
    assert await registry(scene) == CredentialRegistry(total=3, operators={kept.id: None})
    with pytest.raises(Exists):
        await create(scene, proof="cn:revoked")
    await create(scene, proof="cn:expired")


@asynchronous
async def test_many_are_pruned_by_hundreds_and_there_is_room_again() -> None:
    scene = await Scene.make(plan=None)
    first = await create(scene, expires_in_s=1)
    many = [first.model_copy(update={"id": f"{number:016x}"}) for number in range(204)]
    for start in range(0, len(many), 100):
        puts = tuple(each.put() for each in many[start : start + 100])
        await scene.memory.commit(Txn((), puts))
    full = CredentialRegistry(total=MAX_CREDENTIALS, operators={"0" * 16: 1_000})
    await scene.memory.commit(Txn((), (full.put(),)))
    with pytest.raises(LimitExceeded, match="token prune"):
        await create(scene)
    await scene.clock.advance(DAY_S)
    scene.store.calls.clear()
    outcome = await prune(scene, older_than_s=3_600)
    assert (outcome.how, len(outcome.result.pruned), outcome.result.more) == (
        "committed",
        205,
        False,
    )
    assert scene.store.calls.count("commit") == 3
    assert await registry(scene) == CredentialRegistry(total=MAX_CREDENTIALS - 205, operators={})
    assert (await create(scene)).id
    assert (await prune(scene)).how == "noop"


@asynchronous
async def test_a_repeated_pruning_removes_nothing_else() -> None:
    scene = await Scene.make(plan=None)
    gone = await create(scene, expires_in_s=1)
    await scene.clock.advance(DAY_S)

    async def step(op_id: str) -> Outcome[Pruning]:
        now_ms = scene.clock.now_ms()
        return await scene.path.execute(await prune_command(scene.memory, WHO, op_id, 1, now_ms))

    assert (await prune_all(step, "same")).result.pruned == [gone.id]
    await create(scene, expires_in_s=1)
    await scene.clock.advance(10)
    again = await prune_all(step, "same")
    assert (again.how, again.result.pruned) == ("repeated", [gone.id])


@asynchronous
async def test_a_credential_that_is_no_candidate_any_more_stays() -> None:
    scene = await Scene.make(plan=None)
    valid = await create(scene)
    command = PruneTokens(WHO, scene.op(), 1, (valid.id, "0" * 16))
    outcome = await scene.path.execute(command)
    assert (outcome.how, outcome.result.pruned) == ("noop", [])
    assert (await all_credentials(scene.memory)).items == [valid]
