"""What a person decides in a review, and what becomes of it when things move below (R7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bps.core.error_catalogue import next_action_of
from bps.core.errors import (
    Ambiguous,
    InvalidInput,
    LimitExceeded,
    MergeConflict,
    NotFound,
    PreconditionFailed,
    ReviewHeld,
    WrongState,
)
from bps.core.ids import BranchRef, ReviewId
from bps.plans.events import BlueprintPromoted
from bps.plans.results import BranchResult
from bps.plans.reviews import MAX_CLAIM_MS
from bps.promotion.complete import CompleteReview
from bps.promotion.promote import Promote
from bps.review.claim import ClaimReview
from bps.review.reject import RejectReview
from bps.review.resolve import Choice, ResolveReview
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref
from tests.edited import edited

BASE = b"title: checkout\nretries: 3\ntimeout_ms: 900\ncarts: open\n"
ID = ReviewId(PLAN, 1)
OTHER = "other-reviewer"


async def fighting(scene: Scene) -> tuple[BranchResult, BranchResult]:
    """Two RR-plans with two conflicts, in an open review."""
    one = await scene.succeed("C1", edited(BASE, (b": 3", b": 7"), (b": 900", b": 1000")))
    two = await scene.succeed("C2", edited(BASE, (b": 3", b": 9"), (b": 900", b": 2000")))
    assert (await scene.refused(one, two)).facts["conflicts"] == 2
    return one, two


@asynchronous
async def test_a_review_is_resolved_place_by_place_and_completed_by_one_transaction() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await fighting(scene)
    opened = await scene.review()
    assert [each.path for each in opened.conflicts] == ["/retries", "/timeout_ms"]
    assert {each.rr_plan for each in opened.contributors} == {one.rr_plan, two.rr_plan}
    assert {each.by for each in opened.contributors} == {WHO}
    first = await scene.resolve("/retries", take=f"br{one.branch[:8]}")
    assert [each.path for each in first.open] == ["/timeout_ms"]
    with pytest.raises(MergeConflict) as refusal:
        await scene.complete()
    assert refusal.value.facts["conflicts"] == 1
    last = await scene.resolve("/timeout_ms", text="1500")
    assert (last.open_total, last.findings_total) == (0, 0)
    scene.store.reset()
    result = await scene.complete()
    assert scene.store.writes == 1
    assert (result.how, result.version) == ("promotion", 2)
    assert await scene.canonical() == edited(BASE, (b": 3", b": 7"), (b": 900", b": 1500"))
    assert set((await scene.states()).values()) == {"OBSOLETE_MERGED"}
    assert (await scene.types())[-1] == "REVIEW_COMPLETED"
    closed = await scene.review()
    assert (closed.status, closed.closed_ms is None) == ("COMPLETED", False)
    body = next(b for _, b in await scene.log() if isinstance(b, BlueprintPromoted))
    assert body.merge is not None
    assert {(r.path, r.take, r.text) for r in body.merge.resolutions} == {
        ("/retries", one.rr_plan, None),
        ("/timeout_ms", None, "1500"),
    }
    assert body.merge.review == str(ID)
    await scene.proven()


@asynchronous
async def test_a_promotion_commits_what_carried_resolutions_cover() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    await scene.resolve("/retries", take="base")
    await scene.resolve("/timeout_ms", take="base")
    result = await scene.promote()
    assert result.how in {"promotion", "unchanged"}
    assert (await scene.review()).status == "COMPLETED"
    await scene.proven()


@asynchronous
async def test_a_resolution_is_carried_when_canonical_moves_elsewhere_and_dropped_when_there() -> (
    None
):
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    await scene.resolve("/retries", text="8")
    await scene.resolve("/timeout_ms", text="1500")
    await scene.promote(await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut"))))
    moved = await scene.succeed(
        "T4", edited(BASE, (b"carts: open", b"carts: shut"), (b": 900", b": 950"))
    )
    await scene.promote(moved)
    with pytest.raises(MergeConflict) as refusal:
        await scene.complete()
    assert refusal.value.facts["conflicts"] == 1
    review = await scene.review()
    assert [each.path for each in review.resolutions] == ["/retries"]
    assert review.canonical_version == 3
    await scene.resolve("/timeout_ms", take="canonical")
    assert (await scene.complete()).version == 4
    assert await scene.canonical() == edited(
        BASE, (b": 3", b": 8"), (b": 900", b": 950"), (b"carts: open", b"carts: shut")
    )
    await scene.proven()


@asynchronous
async def test_an_open_review_does_not_keep_others_from_being_published() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    free = await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut")))
    assert [c.rr_plan for c in (await scene.promote()).contributors] == [free.rr_plan]
    review = await scene.review()
    assert (review.status, review.canonical_version) == ("OPEN", 2)
    await scene.proven()


@asynchronous
async def test_a_claim_keeps_others_out_until_it_ends_and_holds_promotions_once() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    free = await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut")))
    claimed = await scene.path.execute(ClaimReview(OTHER, "c1", ID, hold=True))
    assert claimed.result.status == "OPEN"
    for act in (
        ResolveReview(WHO, "r1", ID, (Choice("/retries", None, "base", None),)),
        RejectReview(WHO, "r2", ID, "no"),
        CompleteReview(WHO, "r3", ID),
        ClaimReview(WHO, "r4", ID),
        Promote(WHO, "r5", PLAN, (ref(free),)),
    ):
        with pytest.raises(ReviewHeld) as refusal:
            await scene.path.execute(act)
        assert refusal.value.facts["by"] == OTHER
        assert f"`bps review release {ID}`" in next_action_of(refusal.value)
    scene.clock.move(MAX_CLAIM_MS / 1_000 + 1)
    assert (await scene.promote(free)).how == "promotion"
    with pytest.raises(WrongState, match="has held promotions up once"):
        await scene.path.execute(ClaimReview(OTHER, "c2", ID, hold=True))
    await scene.path.execute(ClaimReview(OTHER, "c3", ID))
    title = edited(await scene.canonical(), (b"title: checkout", b"title: x"))
    later = await scene.succeed("T4", title)
    assert (await scene.promote(later)).how == "promotion"
    await scene.proven()


@asynchronous
async def test_who_claims_anew_with_the_hold_keeps_it_no_longer_than_it_was() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    free = await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut")))
    await scene.path.execute(ClaimReview(OTHER, "c1", ID, 60_000, hold=True))
    await scene.path.execute(ClaimReview(OTHER, "c2", ID, hold=True))
    with pytest.raises(ReviewHeld):
        await scene.promote(free)
    scene.clock.move(61)
    assert (await scene.promote(free)).how == "promotion"
    await scene.proven()


@asynchronous
async def test_a_rejection_says_why() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    before = await scene.head()
    for reason in ("", " \n"):
        with pytest.raises(InvalidInput, match="The reason is empty"):
            await scene.path.execute(RejectReview(WHO, scene.op(), ID, reason))
    assert await scene.head() == before


@asynchronous
async def test_what_is_rejected_is_closed_for_good_and_the_rest_can_be_published() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await fighting(scene)
    child = await scene.open("T9", parent=one)
    command = RejectReview(WHO, "no", ID, "breaks it", (BranchRef(one.branch[:8], None),))
    result = (await scene.path.execute(command)).result
    assert {(n.rr_plan, n.status.value) for n in result.nullified} == {
        (one.rr_plan, "OBSOLETE_REJECTED"),
        (child.rr_plan, "OBSOLETE_NULLIFIED"),
    }
    assert (result.status, result.contributors) == ("OPEN", [two.rr_plan])
    assert (await scene.complete()).version == 2
    assert (await scene.review()).status == "COMPLETED"
    await scene.proven()


@asynchronous
async def test_a_review_whose_rr_plans_are_all_rejected_is_rejected() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    result = (await scene.path.execute(RejectReview(WHO, "no", ID, "both wrong"))).result
    assert result.status == "REJECTED"
    assert set((await scene.states()).values()) == {"OBSOLETE_REJECTED"}
    with pytest.raises(WrongState):
        await scene.complete()
    await scene.proven()


@asynchronous
async def test_the_next_conflict_gets_the_next_number() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    await scene.path.execute(RejectReview(WHO, "no", ID, "both wrong"))
    again = [
        await scene.succeed("D1", edited(BASE, (b": 3", b": 4"))),
        await scene.succeed("D2", edited(BASE, (b": 3", b": 5"))),
    ]
    with pytest.raises(MergeConflict) as refusal:
        await scene.promote(*again)
    assert refusal.value.facts["review"] == f"{PLAN}-RV2"
    await scene.proven()


@asynchronous
async def test_a_second_conflict_joins_the_open_review() -> None:
    scene = await Scene.make(content=BASE)
    first = await fighting(scene)
    second = [
        await scene.succeed("D1", edited(BASE, (b"carts: open", b"carts: a"))),
        await scene.succeed("D2", edited(BASE, (b"carts: open", b"carts: b"))),
    ]
    await scene.refused(*second)
    review = await scene.review()
    assert {each.rr_plan for each in review.contributors} == {
        each.rr_plan for each in (*first, *second)
    }
    assert {each.path for each in review.conflicts} == {"/retries", "/timeout_ms", "/carts"}
    await scene.proven()


@asynchronous
async def test_refused_decisions_say_why_and_change_nothing() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    before = await scene.head()
    for choice, error in (
        (Choice("/nowhere", None, "base", None), NotFound),
        (Choice(None, "f" * 8, "base", None), NotFound),
        (Choice(None, "", "base", None), Ambiguous),
        (Choice("/retries", None, "br00000000", None), InvalidInput),
        (Choice("/retries", None, None, "[1"), InvalidInput),
        (Choice("/retries", None, None, "x" * 70_000), LimitExceeded),
    ):
        with pytest.raises(error):
            await scene.path.execute(ResolveReview(WHO, scene.op(), ID, (choice,)))
    for act in (
        ClaimReview(WHO, scene.op(), replace(ID, n=2)),
        ClaimReview(WHO, scene.op(), replace(ID, n=0)),
    ):
        with pytest.raises(NotFound):
            await scene.path.execute(act)
    with pytest.raises(PreconditionFailed):
        await scene.path.execute(ClaimReview(WHO, scene.op(), ID, if_match=("1-1",)))
    etag = (await scene.review()).etag
    assert await scene.head() == before
    await scene.path.execute(ClaimReview(WHO, scene.op(), ID, if_match=(etag,)))


@asynchronous
async def test_a_review_whose_rr_plans_were_given_up_is_superseded_by_the_next_promotion() -> None:
    scene = await Scene.make(content=BASE)
    for branch in await fighting(scene):
        await scene.fail(branch)
    free = await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut")))
    await scene.promote(free)
    assert (await scene.review()).status == "SUPERSEDED"
    await scene.proven()


@asynchronous
async def test_a_cold_leader_decides_as_a_warm_one() -> None:
    scene = await Scene.make(content=BASE)
    one, _ = await fighting(scene)
    choices = (
        Choice("/retries", None, one.rr_plan, None),
        Choice("/timeout_ms", None, "base", None),
    )
    resolved = await scene.cold().execute(ResolveReview(WHO, "r", ID, choices))
    assert resolved.result.open_total == 0
    done = await scene.cold().execute(CompleteReview(WHO, "c", ID))
    assert done.result.version == 2
    again = await scene.cold().execute(CompleteReview(WHO, "c", ID))
    assert (again.how, again.result) == ("repeated", done.result)
    await scene.proven()
