"""No decision of a reviewer is lost unawares: it holds, it waits, or its end is told (R7)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bps.core.errors import MergeConflict
from bps.core.ids import ReviewId
from bps.plans.results import BranchResult
from bps.plans.reviews import ReviewFinding
from bps.promotion.complete import CompleteReview
from bps.promotion.results import PromotionResult
from bps.replay.merges import verify_merges
from bps.review.claim import ClaimReview
from bps.review.read import review_sheet
from bps.review.resolve import Choice, ResolveReview
from bps.review.results import ReviewResult
from bps.review.sheet import ReviewSheet
from bps.writepath.prepare import InThreads
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene
from tests.unit.review.test_reviews import content_of, proven, review_of

ID = ReviewId(PLAN, 1)
BASE = "t: 1\nother: 3\nm:\n  first: &a v\n  uses: *a\n"
ONE = BASE.replace("first: &a v\n  uses: *a", "first: &b v").replace("3", "4")
TWO = BASE.replace("first: &a v\n  uses: *a", "renamed: &a v\n  uses: w").replace("3", "5")


async def in_review(base: str, one: str, two: str) -> tuple[Scene, BranchResult, BranchResult]:
    scene = await Scene.make(content=base.encode())
    waiting = [await scene.succeed(f"C{n}", text.encode()) for n, text in enumerate((one, two))]
    with pytest.raises(MergeConflict):
        await scene.promote(*waiting)
    return scene, waiting[0], waiting[1]


async def decide(
    scene: Scene, path: str, take: BranchResult | str | None = None, text: str | None = None
) -> ReviewResult:
    side = take.rr_plan if isinstance(take, BranchResult) else take
    command = ResolveReview(WHO, scene.op(), ID, (Choice(path, None, side, text),))
    return (await scene.path.execute(command)).result


async def shown(scene: Scene) -> ReviewSheet:
    return await review_sheet(scene.memory, scene.clock, InThreads(), ID)


async def completed(scene: Scene) -> PromotionResult:
    return (await scene.path.execute(CompleteReview(WHO, scene.op(), ID, "decided"))).result


async def decided_twice() -> tuple[Scene, BranchResult, BranchResult]:
    """A review in which /m became a conflict only once the places inside of it were decided."""
    scene, one, two = await in_review(BASE, ONE, TWO)
    assert [each.path for each in (await shown(scene)).conflicts] == [
        "/other",
        "/m/first",
        "/m/uses",
    ]
    await decide(scene, "/m/first", one)
    await decide(scene, "/other", one)
    left = await decide(scene, "/m/uses", one)
    assert [(each.path, each.why) for each in left.open] == [("/m", "anchor")]
    assert (await decide(scene, "/m", two)).open_total == 0
    return scene, one, two


@asynchronous
async def test_a_decision_that_others_called_for_is_kept_as_canonical_moves() -> None:
    scene, _, two = await decided_twice()
    await scene.promote(await scene.succeed("T3", BASE.replace("t: 1", "t: 2").encode()))
    await decide(scene, "/other", two)
    assert "/m" in {each.path for each in (await review_of(scene)).resolutions}
    assert (await completed(scene)).version == 3
    expected = TWO.replace("t: 1", "t: 2")
    assert (await content_of(scene)).decode() == expected
    await proven(scene)
    assert (await verify_merges(scene.memory, PLAN)).made_again == 2


@asynchronous
async def test_a_decision_that_others_called_for_is_shown_and_can_be_made_anew() -> None:
    scene, one, two = await decided_twice()
    sheet = await shown(scene)
    taken = {each.path: each.resolution and each.resolution.take for each in sheet.conflicts}
    assert taken["/m"] == two.rr_plan
    told = {each.path for each in sheet.findings if each.code == "overridden"}
    assert told == {"/m/first", "/m/uses"}
    assert (await decide(scene, "/m", one)).open_total == 0
    await completed(scene)
    assert (await content_of(scene)).decode() == ONE


def dropped_in(findings: Sequence[ReviewFinding]) -> list[str]:
    return [each.path for each in findings if each.code == "dropped"]


@asynchronous
async def test_a_dropped_decision_is_told_by_name_until_its_place_is_decided_anew() -> None:
    base = "t: 1\nretries: 3\nlast: 1\n"
    one, two = (base.replace("3", f"{n}").replace("last: 1", f"last: {n}") for n in (7, 9))
    scene, _, second = await in_review(base, one, two)
    await decide(scene, "/retries", text="8")
    moved = base.replace("3", "4").replace("t: 1", "t: 2")
    await scene.promote(await scene.succeed("T3", moved.encode()))
    sheet = await shown(scene)
    assert dropped_in(sheet.findings) == ["/retries"]
    assert "What tester decided here (= 8) holds no more" in sheet.findings[0].message
    answer = await decide(scene, "/last", second)
    assert dropped_in(answer.findings) == ["/retries"]
    assert dropped_in((await review_of(scene)).findings) == ["/retries"]
    claimed = (await scene.path.execute(ClaimReview(WHO, scene.op(), ID))).result
    assert dropped_in(claimed.findings) == ["/retries"]
    assert dropped_in((await shown(scene)).findings) == ["/retries"]
    with pytest.raises(MergeConflict):
        await completed(scene)
    assert dropped_in((await review_of(scene)).findings) == ["/retries"]
    assert dropped_in((await decide(scene, "/retries", second)).findings) == []
    assert dropped_in((await shown(scene)).findings) == []
    claimed = (await scene.path.execute(ClaimReview(WHO, scene.op(), ID))).result
    assert (dropped_in(claimed.findings), claimed.findings_total) == ([], 0)
    assert (await completed(scene)).findings == []
    await proven(scene)


@asynchronous
async def test_a_completion_tells_of_decisions_that_are_not_in_what_it_published() -> None:
    base = "t: 1\nretries: 3\nlast: 1\n"
    one, two = (base.replace("3", f"{n}").replace("last: 1", f"last: {n}") for n in (7, 9))
    scene, first, second = await in_review(base, one, two)
    await decide(scene, "/retries", text="8")
    await scene.fail(second)
    assert dropped_in((await shown(scene)).findings) == ["/retries"]
    result = await completed(scene)
    assert [each.rr_plan for each in result.contributors] == [first.rr_plan]
    assert result.findings == [
        "/retries: What tester decided here (= 8) holds no more: nothing is in conflict here now."
    ]
    await proven(scene)


@asynchronous
async def test_a_decision_that_others_called_for_waits_while_one_of_them_is_open_again() -> None:
    scene, _, two = await decided_twice()
    await scene.promote(await scene.succeed("T3", BASE.replace("other: 3", "other: 9").encode()))
    sheet = await shown(scene)
    codes = {each.path: each.code for each in sheet.findings}
    assert (codes["/other"], codes["/m"]) == ("dropped", "waiting")
    with pytest.raises(MergeConflict):
        await completed(scene)
    assert "/m" in {each.path for each in (await review_of(scene)).resolutions}
    assert (await decide(scene, "/other", two)).open_total == 0
    await completed(scene)
    assert (await content_of(scene)).decode() == TWO
    await proven(scene)
    assert (await verify_merges(scene.memory, PLAN)).made_again == 2
