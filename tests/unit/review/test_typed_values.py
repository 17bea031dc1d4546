"""A value that a reviewer typed is refused at once where it could never be published."""

from __future__ import annotations

import pytest

from bps.core.errors import InvalidInput
from bps.core.ids import ReviewId
from bps.review.resolve import Choice, ResolveReview
from bps.review.results import ReviewResult
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene

ID = ReviewId(PLAN, 1)
VALUE = "title: t\nretries: 3\nlast: 1\n"
LIST = "title: t\nsteps:\n  - run a\n  - run b\n"
COMMENT = "title: t\n# why\nx: 1\n"
RENAMED = "title: t\nk:\n  a: 1\n  b: 2\n"
ANCHORS = "first: &one 1\nretries: 3\nlast: &two 2\nmore: *one\n"
SIDES = {
    VALUE: (("3", "7"), ("3", "9")),
    LIST: (("run b\n", "run b\n  - run: c\n"), ("run b\n", "run b\n  - run: dd\n")),
    COMMENT: (("why", "one"), ("why", "two")),
    RENAMED: (("k:", "m:"), ("a: 1", "a: 4")),
    ANCHORS: (("3", "7"), ("3", "9")),
}


async def in_review(base: str, *more: tuple[tuple[str, str], tuple[str, str]]) -> Scene:
    """Two RR-plans in a review, with the conflict of `base` and those of `more`."""
    scene = await Scene.make(content=base.encode())
    fixes = [base, base]
    for edits in (SIDES[base], *more):
        fixes = [fix.replace(*edit) for fix, edit in zip(fixes, edits, strict=True)]
    waiting = [await scene.succeed(f"C{n}", fix.encode()) for n, fix in enumerate(fixes)]
    await scene.refused(*waiting)
    return scene


async def decided(scene: Scene, *choices: tuple[str, str | None, str | None]) -> ReviewResult:
    """By path, what is taken, and what is typed."""
    made = tuple(Choice(path, None, take, text) for path, take, text in choices)
    return (await scene.path.execute(ResolveReview(WHO, scene.op(), ID, made))).result


async def refused(
    scene: Scene, *choices: tuple[str, str | None, str | None], place: tuple[int, int | None]
) -> InvalidInput:
    before = await scene.head()
    with pytest.raises(InvalidInput) as refusal:
        await decided(scene, *choices)
    error = refusal.value
    assert await scene.head() == before
    assert error.facts["field"] == "text"
    assert error.facts["path"] == choices[0][0]
    assert (error.facts["line"], error.facts.get("column")) == place
    assert f"line {place[0]}, column " in error.message
    assert error.next_action is not None
    assert error.next_action.endswith("nothing was written.")
    return error


async def published(scene: Scene) -> str:
    await scene.complete()
    await scene.proven()
    return (await scene.canonical()).decode()


@pytest.mark.parametrize(
    ("base", "path", "text", "place"),
    [
        (VALUE, "/retries", "*x", (1, None)),
        (VALUE, "/retries", "a: 1\nb: [*x]", (2, None)),
        (VALUE, "/retries", "", (1, None)),
        (VALUE, "/retries", " \n", (1, None)),
        (VALUE, "/retries", "# only", (1, None)),
        (VALUE, "/retries", "a\rb", (1, None)),
        (VALUE, "/retries", "a\u2028b", (1, 2)),
        (VALUE, "/retries", "'a\x85b'", (1, 3)),
        (VALUE, "/retries", "\ufeffa", (1, 1)),
        (VALUE, "/retries", "'\x07'", (1, 2)),
        (VALUE, "/retries", "a: yes", (1, 4)),
        (VALUE, "/retries", "a: 1\na: 2", (2, 1)),
        (VALUE, "/retries", "!!str a", (1, 1)),
        (VALUE, "/retries", "[1", (2, 1)),
        (VALUE, "/retries", "|+\n  x\n\n", (2, None)),
        (VALUE, "/retries", "a: |\n  x  ", (2, None)),
        (LIST, "/steps", "5", (1, None)),
        (LIST, "/steps", "- >+\n  x\n\n", (2, None)),
        (LIST, "/steps", "- *x", (1, None)),
        (COMMENT, "/x", "5", (1, None)),
        (COMMENT, "/x", "# a\nb", (2, None)),
        (RENAMED, "/k", "", (1, None)),
        (RENAMED, "/k", "title: u", (1, 1)),
        (ANCHORS, "/retries", "*two", (1, 1)),
        (ANCHORS, "/retries", "a: *one\nb: *two", (2, 4)),
        (ANCHORS, "/retries", "&one 3", (1, 1)),
        (ANCHORS, "/retries", "&two 3", (1, 1)),
    ],
)
@asynchronous
async def test_what_can_stand_at_no_place_is_refused_and_changes_nothing(
    base: str, path: str, text: str, place: tuple[int, int | None]
) -> None:
    await refused(await in_review(base), (path, None, text), place=place)


@pytest.mark.parametrize(
    ("base", "path", "text", "result"),
    [
        (VALUE, "/retries", "a: 1\r\nb: 2\r\n", "title: t\nretries:\n  a: 1\n  b: 2\nlast: 1\n"),
        (VALUE, "/retries", "# why\n5", "title: t\nretries:\n  # why\n  5\nlast: 1\n"),
        (VALUE, "/retries", "''", "title: t\nretries: ''\nlast: 1\n"),
        (VALUE, "/retries", "|\n  x\n\n\n", "title: t\nretries: |\n  x\nlast: 1\n"),
        (VALUE, "/retries", "&x [1]", "title: t\nretries: &x [1]\nlast: 1\n"),
        (LIST, "/steps", "", LIST),
        (COMMENT, "/x", "", "title: t\nx: 1\n"),
        (COMMENT, "/x", "# a\n# b\n", "title: t\n# a\n# b\nx: 1\n"),
        (RENAMED, "/k", "p: 5", "title: t\np: 5\n"),
        (ANCHORS, "/retries", "*one", ANCHORS.replace("3", "*one")),
    ],
)
@asynchronous
async def test_what_can_stand_is_published_as_typed(
    base: str, path: str, text: str, result: str
) -> None:
    scene = await in_review(base)
    left = await decided(scene, (path, None, text))
    assert (left.open_total, left.findings_total) == (0, 0)
    assert await published(scene) == result


@asynchronous
async def test_a_value_that_fits_nowhere_is_refused_while_other_places_are_undecided() -> None:
    scene = await in_review(ANCHORS, (("2\n", "4\n"), ("2\n", "5\n")))
    error = await refused(scene, ("/retries", None, "*two"), place=(1, 1))
    assert "the alias *two would have no anchor" in error.message
    assert (await decided(scene, ("/retries", None, "*one"))).open_total == 1


@asynchronous
async def test_one_way_to_decide_the_rest_suffices_until_another_one_is_chosen() -> None:
    base = "first: 1\nretries: 3\nlast: 1\n"
    SIDES[base] = (("3", "7"), ("3", "9"))
    scene = await in_review(base, (("first: 1", "first: &x 2"), ("first: 1", "first: 3")))
    left = await decided(scene, ("/retries", None, "*x"))
    assert [each.path for each in left.open] == ["/first"]
    before = await scene.head()
    with pytest.raises(InvalidInput, match=r"/retries cannot stand there.*\*x would have no anch"):
        await decided(scene, ("/first", "base", None))
    assert await scene.head() == before
    left = await decided(scene, ("/first", None, "&x 5"))
    assert left.open_total == 0
    assert await published(scene) == "first: &x 5\nretries: *x\nlast: 1\n"


@asynchronous
async def test_values_that_fit_one_by_one_are_refused_where_they_do_not_fit_together() -> None:
    scene = await in_review(VALUE, (("last: 1", "last: 2"), ("last: 1", "last: 4")))
    await refused(scene, ("/retries", None, "&x 1"), ("/last", None, "&x 2"), place=(1, 1))
    left = await decided(scene, ("/retries", None, "&x 1"), ("/last", None, "*x"))
    assert left.open_total == 0
    assert await published(scene) == "title: t\nretries: &x 1\nlast: *x\n"
