"""Initiatives: made once, read by pages, compared by registrations."""

from __future__ import annotations

import pytest

from bps.core import keys
from bps.core.errors import Exists, InvalidInput, MalformedRecord, NotFound
from bps.core.txn import Delete, Put, Txn
from bps.initiatives.create import CreateInitiative
from bps.initiatives.read import all_initiatives, initiative, initiatives_page
from bps.initiatives.zones import zone_name
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_zones_go_by_their_iana_names(zone: str) -> None:
    assert zone_name(zone) == zone


@pytest.mark.parametrize(
    "zone", ["", "utc ", "Europe/Nowhere", "Europe", "/etc/localtime", "..", "a" * 300, "Factory"]
)
def test_other_zones_are_refused(zone: str) -> None:
    with pytest.raises(InvalidInput):
        zone_name(zone)


@asynchronous
async def test_the_same_again_is_no_change_and_another_is_refused() -> None:
    scene = await Scene.make(plan=None)
    command = CreateInitiative(WHO, "i1", "checkout", "Checkout", "Europe/Berlin")
    made = await scene.path.execute(command)
    assert made.how == "committed"
    assert (await initiative(scene.memory, "checkout"))[0] == made.result
    again = CreateInitiative(WHO, "i2", "checkout", "Checkout", "Europe/Berlin")
    assert (await scene.path.execute(again)).how == "noop"
    for title, zone in (("Other", "Europe/Berlin"), ("Checkout", "UTC")):
        with pytest.raises(Exists):
            await scene.path.execute(CreateInitiative(WHO, scene.op(), "checkout", title, zone))


@asynchronous
async def test_what_lies_below_an_initiative_is_none() -> None:
    scene = await Scene.make(plan=None)
    await scene.memory.commit(Txn((), (Put(keys.governance("default"), b"{}"),)))
    assert [each.initiative for each in (await all_initiatives(scene.memory)).items] == [
        "default",
        "initiative",
    ]
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await initiatives_page(scene.memory, after, 1)
        seen += [each.initiative for each in page.items]
        after = page.last
    assert seen == ["default", "initiative"]


@asynchronous
async def test_a_record_at_another_place_is_named() -> None:
    scene = await Scene.make(plan=None)
    (stored,) = await scene.below(keys.initiative("default"))
    await scene.memory.commit(Txn((), (Put(keys.initiative("other"), stored.value),)))
    with pytest.raises(MalformedRecord):
        await initiative(scene.memory, "other")
    with pytest.raises(NotFound):
        await initiative(scene.memory, "nothing")


@asynchronous
async def test_a_registration_compares_its_initiative_and_costs_no_read_more() -> None:
    scene = await Scene.make(plan=None)
    await scene.register(plan=PLAN)
    assert scene.store.calls == ["snapshot", "commit"]
    assert keys.initiative("initiative") in {each.key for each in scene.store.txns[0].compares}


@asynchronous
async def test_a_plan_of_no_initiative_is_refused_but_one_that_is_there_stays_readable() -> None:
    scene = await Scene.make()
    with pytest.raises(NotFound) as refused:
        await scene.path.execute(RegisterPlan(WHO, "r", "EP-2", "nothing", "t", pack(b"v1")))
    assert "bps initiative create nothing" in (refused.value.next_action or "")
    # As the release before left it: a plan, and no record of its initiative.
    await scene.memory.commit(Txn((), (Delete(keys.initiative("initiative")),)))
    same = RegisterPlan(WHO, "r2", PLAN, "initiative", "title", pack(b"v1"))
    assert (await scene.cold().execute(same)).how == "noop"
    assert (await scene.promote(await scene.succeed("T1", b"v2"))).version == 2
