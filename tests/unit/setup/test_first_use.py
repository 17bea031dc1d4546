"""`bps init`: one transaction makes what lacks, whatever was there before."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import InvalidId
from bps.core.txn import Delete, Txn
from bps.identity.create import CreateToken, NewSecret
from bps.identity.read import all_credentials
from bps.identity.roles import Role
from bps.identity.token_text import Token
from bps.initiatives.read import all_initiatives
from bps.keyring.model import KeyRecord, Purpose
from bps.keyring.public_key import PublicKey
from bps.setup.first_use import FirstUse
from bps.setup.initialise import Initialise
from bps.writepath.preview import outcome_if_done
from tests.asynchronous import asynchronous
from tests.doubles import WHO, Scene

KEY = PublicKey(bytes(range(32)))


def secret() -> NewSecret:
    token = Token.generate()
    return NewSecret(token.credential, token.digest)


def first_use(scene: Scene, **changes: object) -> FirstUse:
    command = FirstUse(WHO, scene.op(), "root-1", secret(), KEY)
    return replace(command, **changes)  # type: ignore[arg-type]


async def empty() -> Scene:
    """A leader, and nothing else in the store."""
    scene = await Scene.make(plan=None)
    kept = {keys.LEADER_HOLDER, keys.OPS_LEASE}
    found = [kv.key for kv in await scene.below(keys.ROOT) if kv.key not in kept]
    await scene.memory.commit(Txn((), tuple(Delete(key) for key in found)))
    scene.store.reset()
    return scene


async def names(scene: Scene) -> list[str]:
    return [each.initiative for each in (await all_initiatives(scene.memory)).items]


@asynchronous
async def test_an_empty_store_gets_all_of_it_in_one_transaction() -> None:
    scene = await empty()
    command = first_use(scene, initiative="checkout")
    outcome = await scene.path.execute(command)
    assert scene.store.calls == ["snapshot", "commit"]
    done = outcome.result
    assert (outcome.how, done.credential, done.key_id) == (
        "committed",
        command.secret.credential,
        KEY.key_id,
    )
    (operator,) = (await all_credentials(scene.memory)).items
    assert (operator.principal, operator.roles) == ("root-1", [Role.OPERATOR])
    assert operator.digest == command.secret.digest
    (stored,) = await scene.below(keys.KEYS)
    key = KeyRecord.decode(stored.value)
    assert (key.public_key, key.purposes, key.holder) == (KEY.text, [Purpose.CHECKPOINT], "root-1")
    assert await names(scene) == ["checkout", "default"]


@asynchronous
async def test_run_again_it_changes_nothing_and_says_so() -> None:
    scene = await empty()
    await scene.path.execute(first_use(scene))
    before = await scene.below(keys.ROOT)
    again = await scene.path.execute(first_use(scene, signing_key=PublicKey(bytes(32))))
    assert (again.how, again.why) == ("noop", "the store is initialised already")
    assert (again.result.credential, again.result.key_id) == (None, None)
    assert await scene.below(keys.ROOT) == before
    assert (await scene.path.execute(Initialise(WHO, scene.op()))).how == "noop"


@asynchronous
async def test_repeated_it_answers_with_what_the_first_one_made() -> None:
    scene = await empty()
    command = first_use(scene)
    first = await scene.path.execute(command)
    again = await scene.path.execute(replace(command, secret=secret(), signing_key=None))
    assert (again.how, again.result) == ("repeated", first.result)
    assert len((await all_credentials(scene.memory)).items) == 1


@asynchronous
async def test_a_store_that_a_service_initialised_still_gets_its_first_operator() -> None:
    scene = await empty()
    await scene.path.execute(Initialise("bps", "start"))
    outcome = await scene.path.execute(first_use(scene, signing_key=None))
    assert outcome.how == "committed"
    assert outcome.result.key_id is None
    assert [each.id for each in (await all_credentials(scene.memory)).items] == [
        outcome.result.credential
    ]


@asynchronous
async def test_agents_are_no_operators_and_an_expired_operator_is_none_any_more() -> None:
    scene = await empty()
    await scene.path.execute(Initialise("bps", "start"))
    for roles in (frozenset({Role.AGENT}), frozenset({Role.OPERATOR})):
        made = CreateToken(WHO, scene.op(), "a", roles, secret(), expires_in_s=10)
        await scene.path.execute(made)
    assert (await scene.path.execute(first_use(scene, signing_key=None))).how == "noop"
    scene.clock.move(10)
    outcome = await scene.path.execute(first_use(scene, signing_key=None))
    assert outcome.result.credential is not None


@asynchronous
async def test_a_store_of_the_release_before_gets_its_default_initiative_by_any_leader() -> None:
    scene = await Scene.make()
    await scene.memory.commit(Txn((), (Delete(keys.initiative("default")),)))
    schema = (await scene.below(keys.SCHEMA))[0]
    outcome = await scene.path.execute(Initialise("bps", scene.op()))
    assert outcome.how == "committed"
    assert await names(scene) == ["default", "initiative"]
    assert (await scene.below(keys.SCHEMA))[0] == schema


@asynchronous
async def test_whether_anything_lacks_is_seen_without_leading() -> None:
    scene, clock = await empty(), SystemClock()
    assert await outcome_if_done(scene.memory, clock, first_use(scene)) is None
    first = await scene.path.execute(first_use(scene))
    writes = scene.store.writes
    done = await outcome_if_done(scene.memory, clock, first_use(scene))
    assert done is not None
    assert (done.how, done.result.layout) == ("noop", first.result.layout)
    lacks = first_use(scene, initiative="another")
    assert await outcome_if_done(scene.memory, clock, lacks) is None
    assert scene.store.writes == writes


@asynchronous
async def test_the_service_itself_is_no_operator() -> None:
    scene = await empty()
    with pytest.raises(InvalidId):
        await scene.path.execute(first_use(scene, operator="bps"))
    assert scene.store.writes == 0


@asynchronous
async def test_a_race_of_two_makes_one_operator() -> None:
    scene = await empty()
    answers = await asyncio.gather(
        scene.path.execute(first_use(scene)), scene.cold().execute(first_use(scene))
    )
    assert sorted(answer.how for answer in answers) == ["committed", "noop"]
    assert len((await all_credentials(scene.memory)).items) == 1
