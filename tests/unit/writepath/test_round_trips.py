"""What a command costs: round trips and Raft writes, counted by a recording store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import LimitExceeded, NotFound, SchemaTooNew, WrongState
from bps.core.ids import BranchRef
from bps.core.txn import Put, Txn
from bps.plans.blob import pack
from bps.plans.branches import SubmitBranch
from bps.policy.model import Policy
from bps.promotion.promote import Promote
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref

SMALL = b"name: x\n" * 1_250


@asynchronous
async def test_a_warm_promotion_is_one_round_trip_and_one_write() -> None:
    scene = await Scene.make(content=SMALL)
    branch = await scene.succeed("T1", SMALL + b"fixed: yes\n")
    scene.store.reset()
    result = await scene.promote(branch)
    assert result.version == 2
    assert scene.store.calls == ["commit"]
    assert scene.store.writes == 1
    assert (len(scene.store.txns[0].compares), len(scene.store.txns[0].operations)) == (7, 7)


@asynchronous
async def test_a_cold_promotion_is_two_round_trips_and_one_write() -> None:
    scene = await Scene.make(content=SMALL)
    branch = await scene.succeed("T1", SMALL + b"fixed: yes\n")
    scene.store.reset()
    command = Promote(WHO, "cold", PLAN, (ref(branch),))
    assert (await scene.cold().execute(command)).how == "committed"
    assert scene.store.calls == ["snapshot", "commit"]
    assert scene.store.writes == 1


@asynchronous
async def test_every_warm_command_on_one_branch_is_one_round_trip() -> None:
    scene = await Scene.make()
    first = await scene.open("T1")
    for act in (
        scene.submit(first, b"v2"),
        scene.promote(first),
        scene.open("T2"),
    ):
        scene.store.reset()
        await act
        assert scene.store.calls == ["commit"]


@asynchronous
async def test_a_promotion_does_not_send_the_blueprint_again() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", bytes(range(256)) * 200)
    scene.store.reset()
    await scene.promote(branch)
    blobs = keys.PlanKeys(PLAN).blobs
    assert not [op for op in scene.store.txns[0].operations if op.key.startswith(blobs)]
    assert scene.store.txns[0].size_bytes < 10_000


@asynchronous
async def test_a_policy_changed_under_a_warm_view_costs_no_read() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    await scene.set_policy(n=2)
    scene.store.reset()
    await scene.promote(branch)
    assert scene.store.calls == ["commit", "commit"]
    policies = {event.policy_digest for event, _ in await scene.log()}
    assert len(policies) == 2


@asynchronous
async def test_the_new_policy_is_the_one_that_decides() -> None:
    scene = await Scene.make()
    branch = await scene.open("T1")
    await scene.set_policy(max_blueprint_bytes=3)
    command = SubmitBranch(WHO, "large", PLAN, ref(branch), pack(b"four"))
    with pytest.raises(LimitExceeded) as refusal:
        await scene.path.execute(command)
    assert refusal.value.facts == {"limit": "max_blueprint_bytes", "value": 4, "allowed": 3}


@asynchronous
async def test_governance_that_appears_under_a_warm_view_stops_the_promotion() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    await scene.memory.commit(Txn((), (Put(keys.governance("initiative"), b"{}"),)))
    scene.store.reset()
    with pytest.raises(SchemaTooNew):
        await scene.promote(branch)
    assert scene.store.writes == 0
    assert scene.store.calls == ["commit"]
    assert len(await scene.versions()) == 1


@asynchronous
async def test_a_plan_changed_by_another_costs_one_read() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    other = SubmitBranch(WHO, "other", PLAN, BranchRef(branch.branch, None), pack(b"v2"))
    assert (await scene.cold().execute(other)).how == "noop"
    stranger = scene.cold()
    opened = await scene.open("T2")
    submit = SubmitBranch(WHO, "s2", PLAN, ref(opened), pack(b"v3"))
    assert (await stranger.execute(submit)).how == "committed"
    scene.store.reset()
    await scene.promote(branch)
    assert scene.store.calls == ["commit", "snapshot", "commit"]


@asynchronous
async def test_a_rejection_on_a_stale_warm_view_is_decided_again_on_a_fresh_one() -> None:
    scene = await Scene.make()
    opened = await scene.open("T1")
    submit = SubmitBranch(WHO, "elsewhere", PLAN, ref(opened), pack(b"v2"))
    await scene.cold().execute(submit)
    scene.store.reset()
    assert (await scene.promote(opened)).version == 2
    assert scene.store.calls == ["snapshot", "commit"]


@asynchronous
async def test_a_noop_on_a_stale_warm_view_is_decided_again_on_a_fresh_one() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    await scene.promote(branch)
    elsewhere = replace(scene, path=scene.cold())
    await elsewhere.promote(await elsewhere.succeed("T2", b"v3"))
    scene.store.reset()
    # Warm, version 2 is canonical still, and reverting to it would change nothing.
    assert (await scene.revert(2)).version == 4
    assert scene.store.writes == 1


@asynchronous
async def test_a_rejection_costs_one_read_and_writes_nothing() -> None:
    scene = await Scene.make()
    opened = await scene.open("T1")
    scene.store.reset()
    with pytest.raises(WrongState):
        await scene.promote(opened)
    assert scene.store.calls == ["snapshot"]


@asynchronous
async def test_a_command_on_no_plan_says_so_and_writes_nothing() -> None:
    scene = await Scene.make(plan=None)
    with pytest.raises(NotFound) as refusal:
        await scene.promote()
    assert refusal.value.facts == {"plan": PLAN}
    assert scene.store.writes == 0


@asynchronous
async def test_the_policy_digest_of_an_event_is_that_of_the_stored_policy() -> None:
    scene = await Scene.make()
    stored = (await scene.below(keys.POLICY_CURRENT))[0].value
    assert Policy.decode(stored).encode() == stored
    (event, _), *_ = await scene.log()
    assert event.policy_digest == sha256_hex(stored)
