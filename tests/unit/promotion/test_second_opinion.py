"""A clean merge that a merge by lines would read otherwise waits for a person (design, "Merge")."""

from __future__ import annotations

from tests.asynchronous import asynchronous
from tests.doubles import Scene

BASE = b"""\
tasks:
  - sla: 10
    owner: team-1
    retries: 3
    id: charge
  - sla: 40
    owner: team-2
    retries: 9
    id: refund
title: x
"""
ADDED = BASE.replace(
    b"tasks:\n",
    b"""\
tasks:
  - sla: 10
    owner: team-1
    retries: 3
    id: void
""",
)
CHANGED = BASE.replace(b"sla: 10", b"sla: 15")
"""Of the charge; by lines it would be that of the new task, whose first lines are the same."""


@asynchronous
async def test_a_merge_that_means_something_else_by_lines_waits_for_a_person() -> None:
    scene = await Scene.make(content=BASE)
    waiting = [await scene.succeed("T1", ADDED), await scene.succeed("T2", CHANGED)]
    assert (await scene.refused()).facts["conflicts"] == 0
    review = await scene.review()
    assert [each.source for each in review.findings] == ["second opinion"]
    assert {each.rr_plan for each in review.contributors} == {each.rr_plan for each in waiting}
    assert len(await scene.versions()) == 1
    assert (await scene.complete()).version == 2
    assert await scene.canonical() == ADDED.replace(
        b"  - sla: 10\n    owner: team-1\n    retries: 3\n    id: charge\n",
        b"  - sla: 15\n    owner: team-1\n    retries: 3\n    id: charge\n",
    )
    await scene.proven()


@asynchronous
async def test_who_has_no_part_in_it_is_published_meanwhile() -> None:
    scene = await Scene.make(content=BASE)
    for trace, fix in (("T1", ADDED), ("T2", CHANGED)):
        await scene.succeed(trace, fix)
    await scene.refused()
    free = await scene.succeed("T3", BASE.replace(b"title: x", b"title: y"))
    assert (await scene.promote(free)).version == 2
