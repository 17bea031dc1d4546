"""Writing in a plan whose stored records contradict each other: refused, never carried on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
import pytest

from bps.core import keys
from bps.core.codec import SCHEMA
from bps.core.errors import ConfigError, MalformedRecord, NotFound, SchemaTooNew
from bps.core.keys import PlanKeys
from bps.core.txn import Delete, Put, Txn
from bps.plans.model import Head, Version
from bps.plans.read import branches_of, list_plan_ids, list_plans, plan_detail, rr_plan_of
from bps.setup.initialise import Initialise, StoreSchema
from bps.writepath.command import OpRecord
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref

KEYS = PlanKeys(PLAN)


async def damaged(scene: Scene, *operations: Put | Delete) -> None:
    """Change records behind the product's back; nothing of the plan stays warm."""
    await scene.memory.commit(Txn((), operations))
    scene.path = scene.cold()


async def refused(scene: Scene, act: Callable[[], Awaitable[object]]) -> None:
    before = await scene.head()
    with pytest.raises(MalformedRecord):
        await act()
    assert await scene.head() == before


@asynchronous
async def test_a_plan_that_lost_its_record_is_not_registered_over() -> None:
    scene = await Scene.make()
    await damaged(scene, Delete(KEYS.record))
    await refused(scene, lambda: scene.register(b"other"))
    await refused(scene, lambda: scene.open("T1"))
    with pytest.raises(MalformedRecord):
        await plan_detail(scene.store, PLAN)
    assert await list_plan_ids(scene.store) == [PLAN]


@asynchronous
async def test_a_plan_record_of_another_plan_is_not_believed() -> None:
    scene = await Scene.make()
    await scene.register(plan="EP-2")
    stored = (await scene.below(PlanKeys("EP-2").record))[0].value
    await damaged(scene, Put(KEYS.record, stored))
    await refused(scene, lambda: scene.open("T1"))
    with pytest.raises(MalformedRecord):
        [plan async for plan in list_plans(scene.store)]
    assert await list_plan_ids(scene.store) == [PLAN, "EP-2"]


@asynchronous
async def test_a_head_that_was_rolled_back_overwrites_no_event() -> None:
    scene = await Scene.make()
    before = await scene.head()
    await scene.open("T1")
    event = (await scene.below(KEYS.event(2)))[0].value
    await damaged(scene, Put(KEYS.head, before.encode()))
    await refused(scene, lambda: scene.open("T2"))
    assert (await scene.below(KEYS.event(2)))[0].value == event


@asynchronous
async def test_a_canonical_record_of_another_plan_is_not_built_on() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    canonical = Version.decode((await scene.below(KEYS.canonical))[0].value)
    forged = canonical.model_copy(update={"plan": "EP-99", "version": 77})
    await damaged(scene, Put(KEYS.canonical, forged.encode()))
    await refused(scene, lambda: scene.promote(branch))


@asynchronous
async def test_a_branch_at_another_branchs_key_is_not_acted_on() -> None:
    scene = await Scene.make()
    one, other = await scene.open("T1"), await scene.open("T2")
    stored = (await scene.below(KEYS.branch(other.branch)))[0].value
    await damaged(scene, Put(KEYS.branch(one.branch), stored))
    await refused(scene, lambda: scene.fail(one))
    with pytest.raises(MalformedRecord):
        await branches_of(scene.store, PLAN)


@asynchronous
async def test_an_rr_plan_that_its_branch_names_is_lost_not_unknown() -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    await damaged(scene, Delete(KEYS.rr_plan(branch.branch, 1)))
    await refused(scene, lambda: scene.promote(branch))
    for read in (branches_of(scene.store, PLAN), rr_plan_of(scene.store, PLAN, ref(branch))):
        with pytest.raises(MalformedRecord):
            await read
    with pytest.raises(NotFound):
        await rr_plan_of(scene.store, PLAN, ref(branch.model_copy(update={"n": 2})))


@pytest.mark.parametrize(
    "change",
    [
        {"clock": {}},
        {"state": "SUCCEEDED", "digest": None},
        {"digest": "../etc"},
        {"opened_ms": 10**17},
    ],
    ids=str,
)
@asynchronous
async def test_an_absurd_rr_plan_is_refused(change: dict[str, object]) -> None:
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    (rr_plan,) = (await scene.rr_plans()).values()
    fields = {"kind": rr_plan.KIND, "schema": 1, **rr_plan.model_dump(mode="json"), **change}
    await damaged(scene, Put(KEYS.rr_plan(branch.branch, 1), orjson.dumps(fields)))
    await refused(scene, lambda: scene.promote(branch))
    await refused(scene, lambda: scene.fail(branch))


@pytest.mark.parametrize("change", [{"seq": 10**19 - 1}, {"time_ms": 10**17}], ids=str)
@asynchronous
async def test_an_absurd_head_is_refused(change: dict[str, int]) -> None:
    scene = await Scene.make()
    head = await scene.head()
    fields = {"kind": Head.KIND, "schema": 1, **head.model_dump(mode="json")}
    fields |= {name: str(value) if name == "seq" else value for name, value in change.items()}
    await damaged(scene, Put(KEYS.head, orjson.dumps(fields)))
    with pytest.raises(MalformedRecord):
        await scene.open("T1")


@asynchronous
async def test_a_counter_that_can_go_no_further_is_refused() -> None:
    scene = await Scene.make()
    await scene.promote(await scene.succeed("T1", b"v2"))
    canonical = Version.decode((await scene.below(KEYS.canonical))[0].value)
    forged = canonical.model_copy(update={"clock": {"canonical": 10**19 - 1}})
    await damaged(scene, Put(KEYS.canonical, forged.encode()))
    await refused(scene, lambda: scene.revert(1))


@asynchronous
async def test_a_damaged_result_of_an_operation_is_named() -> None:
    scene = await Scene.make()
    command = Initialise(WHO, "again")
    for result in (None, {}, {"plan": 1}):
        record = OpRecord(state="DONE", request=command.operation.request, result=result)
        await damaged(scene, Put(command.operation.key, record.encode()))
        with pytest.raises(MalformedRecord):
            await scene.path.execute(command)


@pytest.mark.parametrize("lost", [keys.SCHEMA, keys.POLICY_CURRENT], ids=bytes.decode)
@asynchronous
async def test_half_an_initialised_store_is_named_at_once(lost: bytes) -> None:
    scene = await Scene.make()
    await damaged(scene, Delete(lost))
    with pytest.raises(MalformedRecord, match=lost.decode()):
        await scene.path.execute(Initialise(WHO, "again"))


@asynchronous
async def test_only_the_layout_of_the_next_release_is_worked_with() -> None:
    scene = await Scene.make()
    schema = StoreSchema.decode((await scene.below(keys.SCHEMA))[0].value)
    following = schema.model_copy(update={"layout": SCHEMA + 1})
    await damaged(scene, Put(keys.SCHEMA, following.encode()))
    assert (await scene.path.execute(Initialise(WHO, "next"))).how == "noop"
    newer = schema.model_copy(update={"layout": SCHEMA + 2})
    await damaged(scene, Put(keys.SCHEMA, newer.encode()))
    with pytest.raises(SchemaTooNew):
        await scene.path.execute(Initialise(WHO, "again"))


@asynchronous
async def test_a_clock_beyond_the_year_9999_writes_nothing() -> None:
    scene = await Scene.make()
    before = await scene.head()
    scene.clock.move(10**13)
    with pytest.raises(ConfigError):
        await scene.open("T1")
    assert await scene.head() == before


@asynchronous
async def test_what_was_opened_inside_follows_a_rebase_but_not_a_merge() -> None:
    """A rebase carries its RR-plan's work on; a promoted one is done with (R6)."""
    scene = await Scene.make()
    outer = await scene.open("A")
    inner = await scene.open("B", parent=outer)
    innermost = await scene.open("C", parent=inner)
    await scene.promote(await scene.succeed("X", b"v2"))
    await scene.rebase(inner)
    await scene.fail(outer)
    states = await scene.states()
    assert states[innermost.rr_plan] == "OBSOLETE_NULLIFIED"
    assert sorted(states.values()).count("OBSOLETE_NULLIFIED") == 2


@asynchronous
async def test_what_was_opened_inside_of_a_merged_rr_plan_is_left_alone() -> None:
    scene = await Scene.make()
    outer = await scene.open("A")
    inner = await scene.open("B", parent=outer)
    await scene.promote(await scene.submit(outer, b"v2"))
    again = await scene.open("A again", "cause of A")
    assert again.n == 2
    await scene.fail(again)
    assert (await scene.states())[inner.rr_plan] == "OPEN"
