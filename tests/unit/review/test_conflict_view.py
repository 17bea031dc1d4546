"""A conflict has one vocabulary in `bps merge`, a review and answers; what is stored stays."""

from __future__ import annotations

import orjson

from bps.api.merging import MergeView
from bps.merge.engine import merge
from bps.merge.records import Contribution
from bps.plans.cloudevents import cloud_event
from bps.plans.review_events import ReviewOpened
from bps.plans.reviews import Review, ReviewConflict
from tests.asynchronous import asynchronous
from tests.doubles import Scene

BASE = "retries: 3\n"
DESIGN = {"id", "path", "identity", "kind", "base", "sides", "strategy", "suggestion", "finding"}
SIDE = {"branch", "by", "present", "value", "span"}


@asynchronous
async def test_a_review_shows_a_conflict_as_a_merge_of_files_does() -> None:
    scene = await Scene.make(content=BASE.encode())
    texts = [BASE.replace("3", n) for n in "79"]
    waiting = [await scene.succeed(text, text.encode()) for text in texts]
    await scene.refused(*waiting)
    sides = [
        Contribution(each.rr_plan, BASE, text, by)
        for each, text, by in zip(waiting, texts, ("tester", "tester"), strict=True)
    ]
    (of_files,) = MergeView.of(merge(BASE, sides), None).model_dump(mode="json")["conflicts"]
    (of_review,) = (await scene.sheet()).model_dump(mode="json")["conflicts"]
    assert of_review.pop("resolution") is None
    for shown in (of_files, of_review):
        shown["sides"].sort(key=lambda side: side["branch"])
    assert of_review == of_files
    assert of_files.keys() == DESIGN
    assert all(side.keys() == {*SIDE, "text", "base"} for side in of_files["sides"])


@asynchronous
async def test_what_is_shown_of_a_recorded_conflict_is_its_kind_and_what_is_stored_stays() -> None:
    scene = await Scene.make(content=BASE.encode())
    await scene.refused(*[await scene.succeed(n, BASE.replace("3", n).encode()) for n in "79"])
    review = await scene.review()
    (shown,) = review.model_dump(mode="json")["conflicts"]
    assert (shown.keys(), shown["kind"]) == ({"id", "path", "kind"}, "both_modified")
    (stored,) = orjson.loads(review.encode())["conflicts"]
    assert stored == {"id": shown["id"], "path": shown["path"], "why": "both_modified"}
    # What an answer shows is read again by the client.
    assert Review.model_validate_json(review.model_dump_json()) == review
    assert ReviewConflict.model_validate(stored) == review.conflicts[0]
    envelope, body = (await scene.log())[-1]
    assert isinstance(body, ReviewOpened)
    assert cloud_event(envelope, body.encode()).data["conflicts"] == [stored]
    await scene.proven()
