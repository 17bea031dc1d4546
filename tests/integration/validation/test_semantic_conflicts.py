"""A veto of what merged clean is a conflict at its place, which a reviewer decides (R7, law 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.core.errors import MergeConflict
from bps.core.ids import ReviewId
from bps.core.keys import PlanKeys
from bps.plans.blob import unpack
from bps.plans.events import BlueprintPromoted
from bps.plans.reviews import Review
from bps.promotion.complete import CompleteReview
from bps.promotion.results import PromotionResult
from bps.replay.merges import verify_merges
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.review.read import review_sheet
from bps.review.resolve import Choice, ResolveReview
from bps.review.results import ReviewResult
from bps.review.sheet import ReviewSheet
from bps.workshop.workshop import LocalWorkshop
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene

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


def edited(*pairs: tuple[bytes, bytes], content: bytes = BASE) -> bytes:
    for old, new in pairs:
        assert content.count(old) == 1
        content = content.replace(old, new)
    return content


WAITS = BASE + b"  - id: audit\n    depends_on: [refund]\n"
"""Adds a task that waits for one which DROPS deletes: clean as text, wrong together."""
DROPS = edited((b"  - id: refund\n    sla: 20\n", b""))
UNLOCKED = edited((b"retries: 3", b"retries: 5"), (b"team-1", b"team-2"))


@asynccontextmanager
async def judged(*validators: str) -> AsyncIterator[Scene]:
    async with LocalWorkshop() as workshop:
        scene = await Scene.make(content=BASE, workshop=workshop)
        await scene.set_policy(validators=[{"name": name, "config": {}} for name in validators])
        yield scene


async def refused(scene: Scene) -> MergeConflict:
    with pytest.raises(MergeConflict) as refusal:
        await scene.promote()
    return refusal.value


async def resolve(
    scene: Scene, path: str, take: str | None = None, text: str | None = None
) -> ReviewResult:
    command = ResolveReview(WHO, scene.op(), ID, (Choice(path, None, take, text),))
    return (await scene.path.execute(command)).result


async def complete(scene: Scene) -> PromotionResult:
    return (await scene.path.execute(CompleteReview(WHO, scene.op(), ID))).result


async def shown(scene: Scene) -> ReviewSheet:
    assert scene.workshop is not None
    return await review_sheet(scene.memory, scene.clock, scene.workshop, ID)


async def review_of(scene: Scene) -> Review:
    newest, *_ = await scene.below(PlanKeys(PLAN).newest_review)
    return Review.decode(newest.value)


async def canonical(scene: Scene) -> bytes:
    digest = (await scene.versions())[-1].digest
    (kv,) = await scene.below(PlanKeys(PLAN).blob(digest))
    return unpack(kv.value, digest)


async def proven(scene: Scene, made_again: int) -> None:
    """Also what nobody submitted comes out again, from the log and the blueprints alone."""
    await verify(scene.memory, PLAN)
    await replay(scene.memory, PLAN)
    counted = await verify_merges(scene.memory, PLAN)
    assert counted.made_again == made_again
    assert counted.without_policy == counted.without_blueprints == 0


@asynchronous
async def test_two_fixes_that_contradict_each_other_in_meaning_are_decided_at_the_place() -> None:
    async with judged("references") as scene:
        waits, drops = await scene.succeed("T1", WAITS), await scene.succeed("T2", DROPS)
        assert (await refused(scene)).facts["conflicts"] == 1
        (listed,) = (await review_of(scene)).conflicts
        assert (listed.path, listed.why) == ("/tasks/2/depends_on", "semantic")
        sheet = await shown(scene)
        (conflict,) = sheet.conflicts
        (finding,) = sheet.findings
        assert conflict.finding == f"references: {finding.message}"
        assert [(side.branch, side.by, side.variant.value) for side in conflict.sides] == [
            (waits.rr_plan, WHO, ["refund"])
        ]
        assert (conflict.base.present, sheet.undecided, sheet.text) == (False, 1, None)
        assert sheet.marked is not None
        assert "depends_on: [refund]" in sheet.marked
        assert "<<<" not in sheet.marked
        left = await resolve(scene, listed.path, text="[charge]")
        assert (left.open_total, left.findings_total) == (0, 0)
        after = await shown(scene)
        assert [each.resolution is not None for each in after.conflicts] == [True]
        done = await complete(scene)
        assert {each.rr_plan for each in done.contributors} == {waits.rr_plan, drops.rr_plan}
        expected = DROPS + b"  - id: audit\n    depends_on: [charge]\n"
        assert await canonical(scene) == expected == (after.text or "").encode()
        await proven(scene, 1)


@asynchronous
async def test_one_fix_that_is_vetoed_is_published_without_what_was_objected() -> None:
    async with judged("locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await refused(scene)
        assert (await resolve(scene, "/_locked_owner", take="base")).open_total == 0
        assert (await complete(scene)).version == 2
        assert await canonical(scene) == edited((b"retries: 3", b"retries: 5"))
        body = next(b for _, b in await scene.log() if isinstance(b, BlueprintPromoted))
        assert body.merge is not None
        assert [(r.path, r.take) for r in body.merge.resolutions] == [("/_locked_owner", "base")]
        await proven(scene, 1)


@asynchronous
async def test_a_promotion_publishes_what_was_decided_of_a_veto_whoever_objects_still() -> None:
    async with judged("locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await refused(scene)
        await resolve(scene, "/_locked_owner", take="base")
        await scene.set_policy(validators=[])
        assert (await scene.promote()).version == 2
        assert await canonical(scene) == edited((b"retries: 3", b"retries: 5"))
        await proven(scene, 1)


@asynchronous
async def test_a_decision_that_is_objected_to_still_is_no_new_conflict_and_can_be_changed() -> None:
    async with judged("locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await refused(scene)
        vetoed = await resolve(scene, "/_locked_owner", text="team-3")
        assert (vetoed.open_total, [each.path for each in vetoed.findings]) == (
            0,
            ["/_locked_owner"],
        )
        with pytest.raises(MergeConflict):
            await complete(scene)
        assert (await resolve(scene, "/_locked_owner", take="base")).findings_total == 0
        assert (await complete(scene)).version == 2
        await proven(scene, 1)


@asynchronous
async def test_a_veto_of_what_was_decided_of_the_text_is_told_with_that_answer() -> None:
    async with judged("locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await scene.succeed("T2", edited((b"retries: 3", b"retries: 9")))
        await refused(scene)
        assert [each.path for each in (await shown(scene)).conflicts] == ["/retries"]
        first = await resolve(scene, "/retries", text="8")
        assert [(each.path, each.why) for each in first.open] == [("/_locked_owner", "semantic")]
        assert (await resolve(scene, "/_locked_owner", take="base")).open_total == 0
        sheet = await shown(scene)
        assert {each.path for each in sheet.conflicts if each.resolution} == {
            "/retries",
            "/_locked_owner",
        }
        await complete(scene)
        assert await canonical(scene) == edited((b"retries: 3", b"retries: 8"))
        await proven(scene, 1)


@asynchronous
async def test_what_was_decided_of_a_veto_is_carried_while_its_place_is_the_same() -> None:
    async with judged("locked-fields") as scene:
        vetoed = await scene.succeed("T1", UNLOCKED)
        await refused(scene)
        await resolve(scene, "/_locked_owner", take="base")
        await scene.promote(await scene.succeed("T2", edited((b"title: checkout", b"title: till"))))
        # Now the texts conflict too, so that nobody can say what validators would.
        await scene.promote(
            await scene.succeed(
                "T3", edited((b"retries: 3", b"retries: 4"), content=await canonical(scene))
            )
        )
        with pytest.raises(MergeConflict):
            await scene.promote(vetoed)
        review = await review_of(scene)
        assert [each.path for each in review.conflicts] == ["/retries"]
        assert [each.path for each in review.resolutions] == ["/_locked_owner"]
        assert (await resolve(scene, "/retries", text="6")).open_total == 0
        await complete(scene)
        assert await canonical(scene) == edited(
            (b"title: checkout", b"title: till"), (b"retries: 3", b"retries: 6")
        )
        await proven(scene, 3)


@asynchronous
async def test_what_was_decided_of_a_veto_is_dropped_when_its_place_changes() -> None:
    async with judged("references") as scene:
        waits = await scene.succeed("T1", WAITS)
        await scene.succeed("T2", DROPS)
        await refused(scene)
        await resolve(scene, "/tasks/2/depends_on", text="[charge]")
        moved = BASE + b"  - id: audit\n    depends_on: [charge]\n"
        await scene.promote(await scene.succeed("T3", moved))
        # Nothing stands against T2 any more; T1 conflicts with what was published meanwhile.
        assert (await scene.promote()).in_review == [waits.rr_plan]
        review = await review_of(scene)
        assert review.resolutions == []
        assert [(each.path, each.why) for each in review.conflicts] == [("/tasks/2", "both_added")]
        await proven(scene, 2)


@asynchronous
async def test_other_rr_plans_of_the_plan_are_published_without_what_was_decided_there() -> None:
    async with judged("references") as scene:
        await scene.succeed("T1", WAITS)
        await scene.succeed("T2", DROPS)
        await refused(scene)
        await resolve(scene, "/tasks/2/depends_on", text="[charge]")
        titled = edited((b"title: checkout", b"title: till"))
        await scene.promote(await scene.succeed("T3", titled))
        assert await canonical(scene) == titled
        await proven(scene, 1)


@asynchronous
async def test_a_veto_of_what_was_deleted_is_decided_at_its_place() -> None:
    async with judged("locked-fields") as scene:
        freed = edited((b"_locked_owner: team-1\n", b""), (b"retries: 3", b"retries: 5"))
        deletes = await scene.succeed("T1", freed)
        await refused(scene)
        (conflict,) = (await shown(scene)).conflicts
        assert (conflict.path, conflict.base.value) == ("/_locked_owner", "team-1")
        assert [(side.branch, side.variant.present) for side in conflict.sides] == [
            (deletes.rr_plan, False)
        ]
        assert (await resolve(scene, "/_locked_owner", text="team-1")).findings_total == 0
        await complete(scene)
        assert await canonical(scene) == edited((b"retries: 3", b"retries: 5"))
        await proven(scene, 1)
