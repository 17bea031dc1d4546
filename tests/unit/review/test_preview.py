"""What completing a review would publish, with markers around what is undecided (R7)."""

from __future__ import annotations

from bps.candidates.merging import MergeTask, Veto, contested, finding, merge_blueprints
from bps.merge.records import Contribution, Resolution
from bps.merge.semantic import Decision
from tests.asynchronous import asynchronous
from tests.unit.review.test_kept_decisions import in_review

BASE = "t: 1\nretries: 3\nlast: 1\n"
ONE, TWO = (BASE.replace("3", f"{n}").replace("last: 1", f"last: {n}") for n in (7, 9))


@asynchronous
async def test_markers_are_around_what_is_undecided_alone_and_then_the_text_is_published() -> None:
    scene, one, two = await in_review(BASE, ONE, TWO)
    both = (await scene.sheet()).marked or ""
    assert (both.count("<<<<<<<"), both.startswith("t: 1\n<<<<<<< ")) == (2, True)
    await scene.resolve("/retries", text="8")
    sheet = await scene.sheet()
    assert sheet.text is None
    assert sheet.marked == (
        f"t: 1\nretries: 8\n<<<<<<< {two.rr_plan}\nlast: 9\n||||||| canonical\nlast: 1\n=======\n"
        f"last: 7\n>>>>>>> {one.rr_plan}\n"
    )
    await scene.resolve("/last", two)
    sheet = await scene.sheet()
    assert (sheet.text, sheet.marked) == ("t: 1\nretries: 8\nlast: 9\n", None)
    await scene.complete()
    assert (await scene.canonical()).decode() == sheet.text
    closed = await scene.sheet()
    assert (closed.text, closed.marked) == (None, None)


def test_a_decision_of_a_veto_that_breaks_the_profile_is_shown_where_it_would_be() -> None:
    base = "a: 1\nb: 2\n"
    one = Contribution("one", base, "a: 2\nb: 2\n")
    task = MergeTask(base, (one,), (), (), looked_at=True)
    objected = finding("limits", "low", "too low").model_copy(update={"path": "/b"})
    (conflict,) = contested(Veto(task, (), one.text, (objected,)))
    made = Decision(conflict.id, conflict.path, Resolution(None, "yes"))
    answer = merge_blueprints(task._replace(resolutions=(made,)))
    assert (answer.text, [each.code for each in answer.findings]) == (None, ["profile"])
    assert answer.marked == "a: 2\nb: yes\n"
