"""The story of reviews, for the schemas of what is stored, printed and published."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from bps.api.origins import OriginsView
from bps.clock import SystemClock
from bps.core.errors import MergeConflict
from bps.core.ids import ReviewId
from bps.core.ports import Store
from bps.plans.blob import pack
from bps.plans.branches import FailBranch, OpenBranch, SubmitBranch
from bps.plans.origins import origins_of
from bps.plans.read import blueprint, version_of
from bps.plans.register import RegisterPlan
from bps.plans.results import BranchResult
from bps.promotion.complete import CompleteReview
from bps.promotion.promote import Promote
from bps.review.claim import ClaimReview
from bps.review.read import all_reviews, review_sheet
from bps.review.reject import RejectReview
from bps.review.release import ReleaseReview
from bps.review.resolve import Choice, ResolveReview
from bps.writepath.prepare import InThreads
from bps.writepath.transact import WritePath
from tests.doubles import ref

PLAN = "EP-43"
_WHO = "tester"


async def reviewing(path: WritePath, store: Store) -> dict[str, Any]:
    """Three reviews of `PLAN`: completed, rejected, superseded."""
    numbers, plan = count(), PLAN
    do = path.execute
    await do(RegisterPlan(_WHO, "rv-register", plan, "initiative", "title", pack(b"v: 1")))

    async def fixed(content: bytes) -> BranchResult:
        n = next(numbers)
        opened = OpenBranch(_WHO, f"rv-open-{n}", plan, f"rv-{n}", f"review {n}")
        one = ref((await do(opened)).result)
        return (await do(SubmitBranch(_WHO, f"rv-submit-{n}", plan, one, pack(content)))).result

    async def fighting(one: bytes, other: bytes) -> tuple[BranchResult, BranchResult]:
        pair = await fixed(one), await fixed(other)
        with pytest.raises(MergeConflict):
            await do(Promote(_WHO, f"rv-promote-{next(numbers)}", plan, (*map(ref, pair),)))
        return pair

    await fighting(b"v: 3", b"v: 4")
    first, found = ReviewId(plan, 1), dict[str, Any]()
    found["review-list"] = [review async for review in all_reviews(store, plan)]
    found["review-show"] = await review_sheet(store, SystemClock(), InThreads(), first)
    found["review-claim"] = (await do(ClaimReview(_WHO, "rv-claim", first))).result
    found["review-release"] = (await do(ReleaseReview(_WHO, "rv-release", first))).result
    choice = Choice("/v", None, None, "5")
    resolved = await do(ResolveReview(_WHO, "rv-resolve", first, (choice,)))
    found["review-resolve"] = resolved.result
    found["review-complete"] = (await do(CompleteReview(_WHO, "rv-complete", first))).result
    merged = await version_of(store, plan)
    report = await blueprint(store, plan, merged.origins or "")
    found["origins"] = OriginsView.of(await origins_of(store, merged, report))
    await fighting(b"v: 6", b"v: 7")
    rejected = await do(RejectReview(_WHO, "rv-reject", ReviewId(plan, 2), "why"))
    found["review-reject"] = rejected.result
    for each in await fighting(b"v: 8", b"v: 9"):
        await do(FailBranch(_WHO, f"rv-fail-{next(numbers)}", plan, ref(each), "no"))
    await do(Promote(_WHO, "rv-last", plan, (ref(await fixed(b"v: 10")),)))
    return found
