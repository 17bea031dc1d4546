"""A review as text: who changed what, and what to do next."""

from __future__ import annotations

import pytest

from bps.cli import review_sides
from bps.cli.review_text import list_row, show_sheet
from bps.core.ids import ReviewId
from bps.plans.branches import FailBranch
from bps.plans.results import BranchResult
from bps.plans.reviews import ReviewFinding
from bps.review.claim import ClaimReview
from bps.review.conflict_view import NoticeView
from bps.review.read import all_reviews, review_sheet
from bps.review.reject import RejectReview
from bps.review.resolve import Choice, ResolveReview
from bps.review.sheet import ReviewSheet
from bps.writepath.prepare import InThreads
from tests.asynchronous import run
from tests.doubles import PLAN, WHO, Scene, ref
from tests.edited import edited

ID = ReviewId(PLAN, 1)
BASE = b"""title: checkout
limits:
  cpu: 1
  pods: 5
steps:
  - id: build
    timeout_s: 60
notes: |
  first
  second
  third
"""


async def sheet_of(scene: Scene) -> ReviewSheet:
    return await review_sheet(scene.memory, scene.clock, InThreads(), ID)


async def fighting(one: bytes, other: bytes) -> tuple[Scene, BranchResult, BranchResult]:
    scene = await Scene.make(content=BASE)
    first, second = await scene.succeed("A", one), await scene.succeed("B", other)
    await scene.refused(first, second)
    return scene, first, second


def shown(sheet: ReviewSheet, capsys: pytest.CaptureFixture[str]) -> str:
    show_sheet(sheet)
    return capsys.readouterr().out


def test_each_side_says_who_changed_what(capsys: pytest.CaptureFixture[str]) -> None:
    async def lived() -> tuple[ReviewSheet, str, str]:
        scene, first, second = await fighting(
            edited(BASE, (b"second", b"2nd"), (b"timeout_s: 60", b"timeout_s: 90")),
            edited(
                BASE, (b"second", b"zweite"), (b"  - id: build\n    timeout_s: 60\n", b"  []\n")
            ),
        )
        return await sheet_of(scene), first.rr_plan, second.rr_plan

    sheet, first, second = run(lived())
    text = shown(sheet, capsys)
    assert "  base (line 8): notes: |\n    |   first\n    |   second\n    |   third\n" in text
    for rr_plan, line, word in ((first, 8, "2nd"), (second, 7, "zweite")):
        assert (
            f"  {rr_plan} by {WHO} (line {line}): notes: |\n    |   first\n    |   {word}\n"
            f"    |   third\n    > changed:\n    >   -second\n    >   +{word}\n"
        ) in text
    assert "    > changed /timeout_s: 60 -> 90\n" in text


def test_what_a_side_deleted_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async def lived() -> tuple[ReviewSheet, str]:
        deleted = edited(BASE, (b"limits:\n  cpu: 1\n  pods: 5\n", b""))
        scene, _, second = await fighting(edited(BASE, (b"cpu: 1", b"cpu: 2")), deleted)
        return await sheet_of(scene), second.rr_plan

    sheet, second = run(lived())
    text = shown(sheet, capsys)
    assert f"  {second} by {WHO}: deleted\n" in text
    assert "    > changed /cpu: 1 -> 2\n" in text


def test_the_last_line_leads_on(capsys: pytest.CaptureFixture[str]) -> None:
    async def lived() -> list[ReviewSheet]:
        one, other = (edited(BASE, (b"cpu: 1", b"cpu: %d" % cpu)) for cpu in (2, 3))
        scene, *both = await fighting(one, other)
        sheets = [await sheet_of(scene)]
        choice = Choice("/limits/cpu", None, None, "4")
        await scene.path.execute(ResolveReview(WHO, "decide", ID, (choice,)))
        sheets.append(await sheet_of(scene))
        for branch in both:
            fail = FailBranch(WHO, scene.op(), PLAN, ref(branch), "given up")
            await scene.path.execute(fail)
        return [*sheets, await sheet_of(scene)]

    undecided, decided, empty = run(lived())
    short = undecided.conflicts[0].id[:12]
    sides = "|".join(
        side.branch.split("(")[1].split(")")[0] for side in undecided.conflicts[0].sides
    )
    choices = f"--take base|{sides}, or --set VALUE"
    ends = [shown(sheet, capsys).splitlines()[-1] for sheet in (undecided, decided, empty)]
    assert ends == [
        f"next: bps review resolve {ID} --conflict {short} {choices}",
        f"next: bps review complete {ID}",
        "next: nothing waits any more; the next promotion closes this review",
    ]


def test_a_review_that_has_ended_says_where_its_decisions_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def lived() -> ReviewSheet:
        one, other = (edited(BASE, (b"cpu: 1", b"cpu: %d" % cpu)) for cpu in (2, 3))
        scene, *_ = await fighting(one, other)
        await scene.path.execute(RejectReview(WHO, "reject", ID, "neither"))
        return await sheet_of(scene)

    last = shown(run(lived()), capsys).splitlines()[-1]
    assert last == f"what was decided, and by whom: `bps log {PLAN}`"


def test_says_who_claimed_it_until_when_and_whether_others_wait(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def lived() -> list[ReviewSheet]:
        one, other = (edited(BASE, (b"cpu: 1", b"cpu: %d" % cpu)) for cpu in (2, 3))
        scene, *_ = await fighting(one, other)
        sheets = []
        for hold in (False, True):
            await scene.path.execute(ClaimReview(WHO, scene.op(), ID, hold=hold))
            sheets.append(await sheet_of(scene))
        return sheets

    plain, holding = (shown(sheet, capsys).splitlines()[1] for sheet in run(lived()))
    assert plain.startswith(f"claimed by {WHO} until 20")
    assert plain.endswith("Z")
    assert holding.endswith("Z, and promotions of the plan by others wait")


def test_what_is_of_the_whole_blueprint_is_told_as_such(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def lived() -> ReviewSheet:
        scene, *_ = await fighting(*(edited(BASE, (b"cpu: 1", b"cpu: %d" % cpu)) for cpu in (2, 3)))
        return await sheet_of(scene)

    said = ("size", "error", "", None, "too-long", "It is too long.", "")
    finding = ReviewFinding.model_validate(dict(zip(ReviewFinding.model_fields, said, strict=True)))
    notice = NoticeView(path="", message="a comment moved")
    sheet = run(lived()).model_copy(update={"findings": [finding], "notices": [notice]})
    text = shown(sheet, capsys)
    assert "\nerror: size (root): It is too long.\nnotice: (root): a comment moved\n" in text


def test_long_texts_are_not_compared_and_that_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lived() -> ReviewSheet:
        scene, *_ = await fighting(
            edited(BASE, (b"second", b"2nd")), edited(BASE, (b"second", b"zweite"))
        )
        return await sheet_of(scene)

    sheet = run(lived())
    assert "too long" not in shown(sheet, capsys)
    monkeypatch.setattr(review_sides, "MAX_COMPARED_CHARS", 50)
    text = shown(sheet, capsys)
    assert text.count("    > (too long to be compared here)\n") == 2
    assert "+zweite" not in text


def test_a_row_of_the_list_counts_all_conflicts_and_those_decided() -> None:
    async def lived() -> list[tuple[int, int]]:
        one = edited(BASE, (b"cpu: 1", b"cpu: 2"), (b"pods: 5", b"pods: 6"))
        scene, *_ = await fighting(
            one, edited(BASE, (b"cpu: 1", b"cpu: 3"), (b"pods: 5", b"pods: 7"))
        )
        rows = [list_row((await sheet_of(scene)).review)]
        for path in ("/limits/cpu", "/limits/pods"):
            choice = Choice(path, None, "base", None)
            await scene.path.execute(ResolveReview(WHO, scene.op(), ID, (choice,)))
            rows.append(list_row((await sheet_of(scene)).review))
        await scene.complete()
        rows += [list_row(each) async for each in all_reviews(scene.memory, PLAN)]
        return [(row["conflicts"], row["decided"]) for row in rows]

    assert run(lived()) == [(2, 0), (2, 1), (2, 2), (2, 2)]
