"""Ending a claim before its time: whose it is to end, what it frees, what a log may say of it."""

from __future__ import annotations

import pytest

from bps.core.errors import PreconditionFailed, ReviewHeld, WrongState
from bps.plans.legality_review import review_objection
from bps.plans.review_events import ReviewClaimed
from bps.plans.reviews import MAX_CLAIM_MS, ReviewStatus
from bps.review.claim import ClaimReview
from bps.review.reject import RejectReview
from bps.review.release import ReleaseReview
from tests.asynchronous import asynchronous
from tests.doubles import WHO, Scene
from tests.edited import edited
from tests.unit.review.test_reviews import (
    BASE,
    ID,
    OTHER,
    fighting,
)


async def claimed(hold: bool = False) -> Scene:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    await scene.path.execute(ClaimReview(OTHER, "claim", ID, hold=hold))
    return scene


@asynchronous
async def test_the_holder_of_a_claim_completes_what_others_cannot() -> None:
    scene = await claimed(hold=True)
    await scene.resolve("/retries", text="8", who=OTHER)
    await scene.resolve("/timeout_ms", text="1500", who=OTHER)
    with pytest.raises(ReviewHeld):
        await scene.complete()
    assert (await scene.complete(who=OTHER)).version == 2
    await scene.proven()


@asynchronous
async def test_a_claim_of_a_review_of_which_nothing_waits_any_more_holds_no_promotion() -> None:
    scene = await Scene.make(content=BASE)
    one, two = await fighting(scene)
    await scene.path.execute(ClaimReview(OTHER, "claim", ID, hold=True))
    free = await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut")))
    await scene.fail(one)
    with pytest.raises(ReviewHeld):
        await scene.promote(free)
    await scene.fail(two)
    assert (await scene.promote(free)).how == "promotion"
    assert (await scene.review()).status is ReviewStatus.SUPERSEDED
    await scene.proven()


@asynchronous
async def test_the_holder_releases_and_whoever_comes_next_can_act() -> None:
    scene = await claimed(hold=True)
    free = await scene.succeed("T3", edited(BASE, (b"carts: open", b"carts: shut")))
    with pytest.raises(ReviewHeld):
        await scene.promote(free)
    with pytest.raises(ReviewHeld) as refusal:
        await scene.path.execute(ReleaseReview(WHO, "not-mine", ID))
    assert refusal.value.facts["by"] == OTHER
    scene.store.reset()
    released = await scene.path.execute(ReleaseReview(OTHER, "mine", ID))
    assert (scene.store.writes, released.result.act) == (1, "released")
    review = await scene.review()
    assert (review.claim, review.held) == (None, True)
    assert (await scene.promote(free)).how == "promotion"
    # A review holds promotions once, however early that ended.
    with pytest.raises(WrongState, match="has held promotions up once"):
        await scene.path.execute(ClaimReview(OTHER, "again", ID, hold=True))
    assert (await scene.review()).claim is None
    await scene.proven()


@asynchronous
async def test_who_may_release_others_does_and_the_log_says_who_it_was() -> None:
    scene = await claimed()
    await scene.path.execute(ReleaseReview(WHO, "theirs", ID, of_others=True))
    envelope, body = (await scene.log())[-1]
    assert isinstance(body, ReviewClaimed)
    assert (envelope.op, body.until_ms) == (f"{WHO}/theirs", envelope.time_ms)
    again = await scene.path.execute(ReleaseReview(WHO, "theirs", ID))
    assert again.how == "repeated"
    await scene.resolve("/retries", take="base")
    await scene.proven()


@asynchronous
async def test_what_nobody_has_claimed_is_released_by_writing_no_event() -> None:
    scene = await claimed()
    scene.clock.move(MAX_CLAIM_MS / 1_000 + 1)
    before = await scene.head()
    outcome = await scene.path.execute(ReleaseReview(WHO, "late", ID))
    assert (outcome.how, outcome.result.receipt) == ("noop", None)
    assert await scene.head() == before
    with pytest.raises(PreconditionFailed):
        await scene.path.execute(ReleaseReview(WHO, "stale", ID, if_match=("1-1",)))


@asynchronous
async def test_a_forged_release_is_no_legal_event() -> None:
    scene = await claimed()
    review = await scene.review()
    canonical = (await scene.versions())[-1]
    assert review.claim is not None
    during, after = review.claim.since_ms + 1, review.claim.until_ms

    def objection(time_ms: int, holds: bool = False) -> str | None:
        body = ReviewClaimed(n=review.n, until_ms=time_ms, holds=holds)
        return review_objection(review, canonical, {}, body, time_ms=time_ms, by=WHO)

    assert objection(during) is None
    assert objection(during, holds=True) == objection(after) == "it releases what is not claimed"
    past = ReviewClaimed(n=review.n, until_ms=during - 1, holds=False)
    assert review_objection(review, canonical, {}, past, time_ms=during, by=OTHER) is not None


@asynchronous
async def test_a_claim_says_what_is_left_to_decide() -> None:
    scene = await Scene.make(content=BASE)
    await fighting(scene)
    taken = (await scene.path.execute(ClaimReview(WHO, scene.op(), ID))).result
    assert ([each.path for each in taken.open], taken.open_total) == (
        ["/retries", "/timeout_ms"],
        2,
    )
    await scene.resolve("/retries", take="base")
    released = (await scene.path.execute(ReleaseReview(WHO, scene.op(), ID))).result
    assert ([each.path for each in released.open], released.open_total) == (["/timeout_ms"], 1)
    rejected = (await scene.path.execute(RejectReview(WHO, scene.op(), ID, "no"))).result
    assert (rejected.open, rejected.open_total) == ([], 0)
