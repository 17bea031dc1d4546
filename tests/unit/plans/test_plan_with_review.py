"""A plan is shown with its open review, at the cost of one read of that plan alone."""

from __future__ import annotations

from bps.core.keys import PlanKeys
from bps.core.ports import Key
from bps.plans.read import plan_detail
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, Scene


@asynchronous
async def test_it_costs_one_round_trip_whatever_else_is_stored() -> None:
    scene = await Scene.make(content=b"k: 3\n")
    waiting = [await scene.succeed(f"C{n}", f"k: {n}\n".encode()) for n in (7, 9)]
    await scene.refused(*waiting)
    scene.store.reset()
    found = await plan_detail(scene.store, PLAN, with_review=True)
    assert found.review is not None
    assert found.review.review == f"{PLAN}-RV1"
    assert scene.store.round_trips == 1
    at = PlanKeys(PLAN)
    (asked,) = scene.store.reads
    assert asked == [Key(each) for each in (at.record, at.canonical, at.head, at.newest_review)]
    assert (await plan_detail(scene.store, PLAN)).review is None
