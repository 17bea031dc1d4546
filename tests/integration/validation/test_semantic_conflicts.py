"""A veto of what merged clean is a conflict at its place, which a reviewer decides (R7, law 8)."""

from __future__ import annotations

import pytest

from bps.core.errors import MergeConflict
from bps.core.ids import ReviewId
from bps.plans.events import BlueprintPromoted
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO
from tests.edited import edited
from tests.integration.validation.judged_plan import judged_plan

BASE = b"""\
title: checkout
retries: 3
_locked_owner: team-1
tasks:
  - id: charge
    sla: 10
  - id: refund
    sla: 20
"""
ID = ReviewId(PLAN, 1)


WAITS = BASE + b"  - id: audit\n    depends_on: [refund]\n"
"""Adds a task that waits for one which DROPS deletes: clean as text, wrong together."""
DROPS = edited(BASE, (b"  - id: refund\n    sla: 20\n", b""))
UNLOCKED = edited(BASE, (b"retries: 3", b"retries: 5"), (b"team-1", b"team-2"))


@asynchronous
async def test_two_fixes_that_contradict_each_other_in_meaning_are_decided_at_the_place() -> None:
    async with judged_plan(BASE, "references") as scene:
        waits, drops = await scene.succeed("T1", WAITS), await scene.succeed("T2", DROPS)
        assert (await scene.refused()).facts["conflicts"] == 1
        (listed,) = (await scene.review()).conflicts
        assert (listed.path, listed.kind) == ("/tasks/2/depends_on", "semantic")
        sheet = await scene.sheet()
        (conflict,) = sheet.conflicts
        (finding,) = sheet.findings
        assert conflict.finding == f"references: {finding.message}"
        assert [(side.branch, side.by, side.value) for side in conflict.sides] == [
            (waits.rr_plan, WHO, ["refund"])
        ]
        assert (conflict.base.present, sheet.undecided, sheet.text) == (False, 1, None)
        assert sheet.marked is not None
        assert "depends_on: [refund]" in sheet.marked
        assert "<<<" not in sheet.marked
        left = await scene.resolve(listed.path, text="[charge]")
        assert (left.open_total, left.findings_total) == (0, 0)
        after = await scene.sheet()
        assert [each.resolution is not None for each in after.conflicts] == [True]
        done = await scene.complete()
        assert {each.rr_plan for each in done.contributors} == {waits.rr_plan, drops.rr_plan}
        expected = DROPS + b"  - id: audit\n    depends_on: [charge]\n"
        assert await scene.canonical() == expected == (after.text or "").encode()
        await scene.proven(1)


@asynchronous
async def test_one_fix_that_is_vetoed_is_published_without_what_was_objected() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await scene.refused()
        assert (await scene.resolve("/_locked_owner", take="base")).open_total == 0
        assert (await scene.complete()).version == 2
        assert await scene.canonical() == edited(BASE, (b"retries: 3", b"retries: 5"))
        body = next(b for _, b in await scene.log() if isinstance(b, BlueprintPromoted))
        assert body.merge is not None
        assert [(r.path, r.take) for r in body.merge.resolutions] == [("/_locked_owner", "base")]
        await scene.proven(1)


@asynchronous
async def test_a_promotion_publishes_what_was_decided_of_a_veto_whoever_objects_still() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await scene.refused()
        await scene.resolve("/_locked_owner", take="base")
        await scene.set_policy(validators=[])
        assert (await scene.promote()).version == 2
        assert await scene.canonical() == edited(BASE, (b"retries: 3", b"retries: 5"))
        await scene.proven(1)


@asynchronous
async def test_a_decision_that_is_objected_to_still_is_no_new_conflict_and_can_be_changed() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await scene.refused()
        vetoed = await scene.resolve("/_locked_owner", text="team-3")
        assert (vetoed.open_total, [each.path for each in vetoed.findings]) == (
            0,
            ["/_locked_owner"],
        )
        with pytest.raises(MergeConflict):
            await scene.complete()
        assert (await scene.resolve("/_locked_owner", take="base")).findings_total == 0
        assert (await scene.complete()).version == 2
        await scene.proven(1)


@asynchronous
async def test_a_veto_of_what_was_decided_of_the_text_is_told_with_that_answer() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await scene.succeed("T2", edited(BASE, (b"retries: 3", b"retries: 9")))
        await scene.refused()
        assert [each.path for each in (await scene.sheet()).conflicts] == ["/retries"]
        first = await scene.resolve("/retries", text="8")
        assert [(each.path, each.kind) for each in first.open] == [("/_locked_owner", "semantic")]
        assert (await scene.resolve("/_locked_owner", take="base")).open_total == 0
        sheet = await scene.sheet()
        assert {each.path for each in sheet.conflicts if each.resolution} == {
            "/retries",
            "/_locked_owner",
        }
        await scene.complete()
        assert await scene.canonical() == edited(BASE, (b"retries: 3", b"retries: 8"))
        await scene.proven(1)


@asynchronous
async def test_what_was_decided_of_a_veto_is_carried_while_its_place_is_the_same() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        vetoed = await scene.succeed("T1", UNLOCKED)
        await scene.refused()
        await scene.resolve("/_locked_owner", take="base")
        await scene.promote(
            await scene.succeed("T2", edited(BASE, (b"title: checkout", b"title: till")))
        )
        # Now the texts conflict too, so that nobody can say what validators would.
        await scene.promote(
            await scene.succeed(
                "T3", edited(await scene.canonical(), (b"retries: 3", b"retries: 4"))
            )
        )
        await scene.refused(vetoed)
        review = await scene.review()
        assert [each.path for each in review.conflicts] == ["/retries"]
        assert [each.path for each in review.resolutions] == ["/_locked_owner"]
        assert (await scene.resolve("/retries", text="6")).open_total == 0
        await scene.complete()
        assert await scene.canonical() == edited(
            BASE, (b"title: checkout", b"title: till"), (b"retries: 3", b"retries: 6")
        )
        await scene.proven(3)


@asynchronous
async def test_what_was_decided_of_a_veto_is_dropped_when_its_place_changes() -> None:
    async with judged_plan(BASE, "references") as scene:
        waits = await scene.succeed("T1", WAITS)
        await scene.succeed("T2", DROPS)
        await scene.refused()
        await scene.resolve("/tasks/2/depends_on", text="[charge]")
        moved = BASE + b"  - id: audit\n    depends_on: [charge]\n"
        await scene.promote(await scene.succeed("T3", moved))
        # Nothing stands against T2 any more; T1 conflicts with what was published meanwhile.
        assert (await scene.promote()).in_review == [waits.rr_plan]
        review = await scene.review()
        assert review.resolutions == []
        assert [(each.path, each.kind) for each in review.conflicts] == [("/tasks/2", "both_added")]
        await scene.proven(2)


@asynchronous
async def test_other_rr_plans_of_the_plan_are_published_without_what_was_decided_there() -> None:
    async with judged_plan(BASE, "references") as scene:
        await scene.succeed("T1", WAITS)
        await scene.succeed("T2", DROPS)
        await scene.refused()
        await scene.resolve("/tasks/2/depends_on", text="[charge]")
        titled = edited(BASE, (b"title: checkout", b"title: till"))
        await scene.promote(await scene.succeed("T3", titled))
        assert await scene.canonical() == titled
        await scene.proven(1)


@asynchronous
async def test_a_veto_of_what_was_deleted_is_decided_at_its_place() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        freed = edited(BASE, (b"_locked_owner: team-1\n", b""), (b"retries: 3", b"retries: 5"))
        deletes = await scene.succeed("T1", freed)
        await scene.refused()
        (conflict,) = (await scene.sheet()).conflicts
        assert (conflict.path, conflict.base.value) == ("/_locked_owner", "team-1")
        assert [(side.branch, side.present) for side in conflict.sides] == [
            (deletes.rr_plan, False)
        ]
        assert (await scene.resolve("/_locked_owner", text="team-1")).findings_total == 0
        await scene.complete()
        assert await scene.canonical() == edited(BASE, (b"retries: 3", b"retries: 5"))
        await scene.proven(1)
