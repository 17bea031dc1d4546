"""No decision of a reviewer is lost unawares: it holds, it waits, or its end is told (R7)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bps.core.errors import MergeConflict
from bps.core.ids import ReviewId
from bps.plans.results import BranchResult
from bps.plans.reviews import ReviewFinding
from bps.review.claim import ClaimReview
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene

ID = ReviewId(PLAN, 1)
BASE = "t: 1\nother: 3\nm:\n  first: &a v\n  uses: *a\n"
ONE = BASE.replace("first: &a v\n  uses: *a", "first: &b v").replace("3", "4")
TWO = BASE.replace("first: &a v\n  uses: *a", "renamed: &a v\n  uses: w").replace("3", "5")


async def in_review(base: str, one: str, two: str) -> tuple[Scene, BranchResult, BranchResult]:
    scene = await Scene.make(content=base.encode())
    waiting = [await scene.succeed(f"C{n}", text.encode()) for n, text in enumerate((one, two))]
    await scene.refused(*waiting)
    return scene, waiting[0], waiting[1]


async def decided_twice() -> tuple[Scene, BranchResult, BranchResult]:
    """A review in which /m became a conflict only once the places inside of it were decided."""
    scene, one, two = await in_review(BASE, ONE, TWO)
    assert [each.path for each in (await scene.sheet()).conflicts] == [
        "/other",
        "/m/first",
        "/m/uses",
    ]
    await scene.resolve("/m/first", one)
    await scene.resolve("/other", one)
    left = await scene.resolve("/m/uses", one)
    assert [(each.path, each.kind) for each in left.open] == [("/m", "anchor")]
    assert (await scene.resolve("/m", two)).open_total == 0
    return scene, one, two


@asynchronous
async def test_a_decision_that_others_called_for_is_kept_as_canonical_moves() -> None:
    scene, _, two = await decided_twice()
    await scene.promote(await scene.succeed("T3", BASE.replace("t: 1", "t: 2").encode()))
    await scene.resolve("/other", two)
    assert "/m" in {each.path for each in (await scene.review()).resolutions}
    assert (await scene.complete()).version == 3
    expected = TWO.replace("t: 1", "t: 2")
    assert (await scene.canonical()).decode() == expected
    await scene.proven(2)


@asynchronous
async def test_a_decision_that_others_called_for_is_shown_and_can_be_made_anew() -> None:
    scene, one, two = await decided_twice()
    sheet = await scene.sheet()
    taken = {each.path: each.resolution and each.resolution.take for each in sheet.conflicts}
    assert taken["/m"] == two.rr_plan
    told = {each.path for each in sheet.findings if each.code == "overridden"}
    assert told == {"/m/first", "/m/uses"}
    assert (await scene.resolve("/m", one)).open_total == 0
    await scene.complete()
    assert (await scene.canonical()).decode() == ONE


def dropped_in(findings: Sequence[ReviewFinding]) -> list[str]:
    return [each.path for each in findings if each.code == "dropped"]


@asynchronous
async def test_a_dropped_decision_is_told_by_name_until_its_place_is_decided_anew() -> None:
    base = "t: 1\nretries: 3\nlast: 1\n"
    one, two = (base.replace("3", f"{n}").replace("last: 1", f"last: {n}") for n in (7, 9))
    scene, _, second = await in_review(base, one, two)
    await scene.resolve("/retries", text="8")
    moved = base.replace("3", "4").replace("t: 1", "t: 2")
    await scene.promote(await scene.succeed("T3", moved.encode()))
    sheet = await scene.sheet()
    assert dropped_in(sheet.findings) == ["/retries"]
    assert "What tester decided here (= 8) holds no more" in sheet.findings[0].message
    answer = await scene.resolve("/last", second)
    assert dropped_in(answer.findings) == ["/retries"]
    assert dropped_in((await scene.review()).findings) == ["/retries"]
    claimed = (await scene.path.execute(ClaimReview(WHO, scene.op(), ID))).result
    assert dropped_in(claimed.findings) == ["/retries"]
    assert dropped_in((await scene.sheet()).findings) == ["/retries"]
    with pytest.raises(MergeConflict):
        await scene.complete()
    assert dropped_in((await scene.review()).findings) == ["/retries"]
    assert dropped_in((await scene.resolve("/retries", second)).findings) == []
    assert dropped_in((await scene.sheet()).findings) == []
    claimed = (await scene.path.execute(ClaimReview(WHO, scene.op(), ID))).result
    assert (dropped_in(claimed.findings), claimed.findings_total) == ([], 0)
    assert (await scene.complete()).findings == []
    await scene.proven()


@asynchronous
async def test_a_completion_tells_of_decisions_that_are_not_in_what_it_published() -> None:
    base = "t: 1\nretries: 3\nlast: 1\n"
    one, two = (base.replace("3", f"{n}").replace("last: 1", f"last: {n}") for n in (7, 9))
    scene, first, second = await in_review(base, one, two)
    await scene.resolve("/retries", text="8")
    await scene.fail(second)
    assert dropped_in((await scene.sheet()).findings) == ["/retries"]
    result = await scene.complete()
    assert [each.rr_plan for each in result.contributors] == [first.rr_plan]
    assert result.findings == [
        "/retries: What tester decided here (= 8) holds no more: nothing is in conflict here now."
    ]
    await scene.proven()


@asynchronous
async def test_a_decision_that_others_called_for_waits_while_one_of_them_is_open_again() -> None:
    scene, _, two = await decided_twice()
    await scene.promote(await scene.succeed("T3", BASE.replace("other: 3", "other: 9").encode()))
    sheet = await scene.sheet()
    codes = {each.path: each.code for each in sheet.findings}
    assert (codes["/other"], codes["/m"]) == ("dropped", "waiting")
    with pytest.raises(MergeConflict):
        await scene.complete()
    assert "/m" in {each.path for each in (await scene.review()).resolutions}
    assert (await scene.resolve("/other", two)).open_total == 0
    await scene.complete()
    assert (await scene.canonical()).decode() == TWO
    await scene.proven(2)
