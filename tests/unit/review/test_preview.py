"""What completing a review would publish, with markers around what is undecided (R7)."""

from __future__ import annotations

from tests.asynchronous import asynchronous
from tests.unit.review.test_kept_decisions import completed, decide, in_review, shown
from tests.unit.review.test_reviews import content_of

BASE = "t: 1\nretries: 3\nlast: 1\n"
ONE, TWO = (BASE.replace("3", f"{n}").replace("last: 1", f"last: {n}") for n in (7, 9))


@asynchronous
async def test_markers_are_around_what_is_undecided_alone_and_then_the_text_is_published() -> None:
    scene, one, two = await in_review(BASE, ONE, TWO)
    both = (await shown(scene)).marked or ""
    assert (both.count("<<<<<<<"), both.startswith("t: 1\n<<<<<<< ")) == (2, True)
    await decide(scene, "/retries", text="8")
    sheet = await shown(scene)
    assert sheet.text is None
    assert sheet.marked == (
        f"t: 1\nretries: 8\n<<<<<<< {two.rr_plan}\nlast: 9\n||||||| canonical\nlast: 1\n=======\n"
        f"last: 7\n>>>>>>> {one.rr_plan}\n"
    )
    await decide(scene, "/last", two)
    sheet = await shown(scene)
    assert (sheet.text, sheet.marked) == ("t: 1\nretries: 8\nlast: 9\n", None)
    await completed(scene)
    assert (await content_of(scene)).decode() == sheet.text
    closed = await shown(scene)
    assert (closed.text, closed.marked) == (None, None)
