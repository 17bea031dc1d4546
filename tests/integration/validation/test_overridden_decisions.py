"""A decision of a veto around other decisions: they count no more, and that is said at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bps.cli.review_text import OVERRIDDEN, keeps_open, show_sheet
from bps.plans.events import VcNullify
from bps.plans.model import State
from bps.review.results import ReviewResult
from tests.asynchronous import asynchronous
from tests.doubles import WHO, Scene
from tests.edited import edited
from tests.integration.validation.judged_plan import judged_plan
from tests.integration.validation.test_semantic_conflicts import (
    BASE,
    ID,
)

RULE = {"expression": "merged.title == 'checkout'", "message": "no other title"}


@asynccontextmanager
async def decided() -> AsyncIterator[Scene]:
    """/retries is decided as 10, and a validator objects to the whole of what that gives."""
    async with judged_plan(BASE, ("cel", {"rules": [RULE]})) as scene:
        title = (b"title: checkout", b"title: till")
        await scene.succeed("T1", edited(BASE, (b"retries: 3", b"retries: 4"), title))
        await scene.succeed("T2", edited(BASE, (b"retries: 3", b"retries: 5")))
        await scene.refused()
        left = await scene.resolve("/retries", text="10")
        assert [(each.path, each.kind) for each in left.open] == [("", "semantic")]
        assert told(left) == []
        assert keeps_open(left)
        yield scene


def told(result: ReviewResult) -> list[str]:
    """The paths of the decisions that count no more."""
    return [each.path for each in result.findings if each.code == OVERRIDDEN]


@asynchronous
async def test_the_answer_names_the_decisions_that_another_one_replaces() -> None:
    async with decided() as scene:
        answer = await scene.resolve("", take="base")
        assert (answer.open_total, answer.findings_total, told(answer)) == (0, 1, ["/retries"])
        # `--complete` leaves it to a person who has seen this.
        assert keeps_open(answer)
        (finding,) = answer.findings
        assert (finding.source, finding.severity) == ("review", "warning")
        assert "the root, which is the whole document" in finding.message
        # Said whichever of the two is decided last.
        assert told(await scene.resolve("/retries", text="11")) == ["/retries"]


@asynchronous
async def test_the_review_says_which_decisions_count_and_that_nothing_would_be_published(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with decided() as scene:
        await scene.resolve("", take="base")
        show_sheet(await scene.sheet())
        text = capsys.readouterr().out
        assert f"  decided by {WHO}: =10 (counts no more)\n" in text
        assert f"  decided by {WHO}: base\n" in text
        assert "warning: review /retries: What was decided here counts no more" in text
        assert "the result is canonical version 1 as it is: completing publishes nothing\n" in text
        await scene.resolve("", text=edited(BASE, (b"retries: 3", b"retries: 8")).decode())
        show_sheet(await scene.sheet())
        assert "completing publishes nothing" not in capsys.readouterr().out


@asynchronous
async def test_rr_plans_whose_review_kept_canonical_are_not_said_to_be_merged_into_it() -> None:
    async with decided() as scene:
        await scene.resolve("", take="base")
        done = await scene.complete(reason="not yet")
        assert (done.how, done.version) == ("unchanged", 1)
        assert {each.status for each in done.nullified} == {State.OBSOLETE_MERGED}
        assert done.findings == [
            f"Nothing was published: the decisions in {ID} keep version 1.",
        ]
        reasons = {body.reason for _, body in await scene.log() if isinstance(body, VcNullify)}
        assert reasons == {f"the decisions in {ID} keep version 1: not yet"}
        assert await scene.canonical() == BASE


@asynchronous
async def test_a_decision_that_replaces_others_is_published_as_it_stands() -> None:
    async with decided() as scene:
        typed = edited(BASE, (b"retries: 3", b"retries: 8"))
        assert told(await scene.resolve("", text=typed.decode())) == ["/retries"]
        assert (await scene.complete()).findings == []
        assert await scene.canonical() == typed
        await scene.proven(1)
