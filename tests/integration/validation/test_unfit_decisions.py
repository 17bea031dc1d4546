"""A decision of a veto that no longer fits is dropped, and told; the others of its review stay."""

from __future__ import annotations

import pytest

from bps.core.errors import InvalidInput, MergeConflict
from tests.asynchronous import asynchronous
from tests.doubles import Scene
from tests.edited import edited
from tests.integration.validation.judged_plan import judged_plan
from tests.integration.validation.test_semantic_conflicts import BASE

TWO = edited(BASE, (b"tasks:", b"_locked_region: eu\ntasks:"))
UNLOCKED = edited(TWO, (b"team-1", b"team-2"), (b"region: eu", b"region: us"))
ANCHORED = "&own team-3"
"""Fits as long as nobody else has the anchor."""


async def decided(scene: Scene) -> None:
    """A review with two decisions of vetoes."""
    await scene.promote(await scene.succeed("T0", TWO))
    await scene.succeed("T1", UNLOCKED)
    await scene.refused()
    await scene.resolve("/_locked_owner", text=ANCHORED)
    await scene.resolve("/_locked_region", take="base")
    assert len((await scene.review()).resolutions) == 2


async def moved(scene: Scene) -> bytes:
    """What is canonical now, so that the first of them does not fit."""
    titled = edited(TWO, (b"title: checkout", b"title: &own till\nalso: *own"))
    other = await scene.succeed("T2", titled)
    assert (await scene.promote(other)).version == 3
    return titled


@asynchronous
async def test_only_the_decision_that_does_not_fit_is_dropped_and_is_told() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await decided(scene)
        titled = await moved(scene)
        refusal = await scene.refused()
        assert refusal.facts["conflicts"] == 1
        assert refusal.facts["findings"] == [
            "What was decided of /_locked_owner does not fit there."
        ]
        review = await scene.review()
        assert [(each.code, each.path) for each in review.findings] == [
            ("dropped", "/_locked_owner")
        ]
        assert [each.path for each in review.resolutions] == ["/_locked_region"]
        assert [(each.path, each.kind) for each in review.conflicts] == [
            ("/_locked_owner", "semantic")
        ]
        assert (await scene.resolve("/_locked_owner", take="base")).open_total == 0
        await scene.complete()
        assert await scene.canonical() == titled
        await scene.proven(2)


@asynchronous
async def test_who_has_no_part_in_it_is_published_by_the_same_promotion() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await decided(scene)
        titled = await moved(scene)
        fixed = edited(titled, (b"retries: 3", b"retries: 5"))
        free = await scene.succeed("T3", fixed)
        result = await scene.promote()
        assert [each.rr_plan for each in result.contributors] == [free.rr_plan]
        assert result.findings == ["What was decided of /_locked_owner does not fit there."]
        assert await scene.canonical() == fixed
        assert [each.path for each in (await scene.review()).resolutions] == ["/_locked_region"]
        await scene.proven(3)


@asynchronous
async def test_completing_does_not_publish_another_text_than_was_decided() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await decided(scene)
        await moved(scene)
        # Not even where nobody objects any more.
        await scene.set_policy(validators=[])
        with pytest.raises(MergeConflict) as refusal:
            await scene.complete()
        assert refusal.value.facts["conflicts"] == 1
        assert "/_locked_owner does not fit" in str(refusal.value.facts["findings"])
        assert [each.path for each in (await scene.review()).resolutions] == ["/_locked_region"]
        assert len(await scene.versions()) == 3


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [("*x", 1, "the alias *x has no anchor"), ("", 1, "no value"), ("[a, *x]", 5, "no anchor")],
)
@asynchronous
async def test_a_typed_value_that_fits_nowhere_is_refused_with_its_place(
    text: str, column: int, why: str
) -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await decided(scene)
        before = await scene.head()
        with pytest.raises(InvalidInput) as refusal:
            await scene.resolve("/_locked_owner", text=text)
        facts = refusal.value.facts
        assert (facts["path"], facts["line"], facts["column"]) == ("/_locked_owner", 1, column)
        assert why in refusal.value.message
        assert await scene.head() == before


@asynchronous
async def test_deciding_it_anew_keeps_the_others() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await decided(scene)
        await moved(scene)
        sheet = await scene.sheet()
        assert [(each.code, each.path) for each in sheet.findings] == [
            ("dropped", "/_locked_owner")
        ]
        assert "holds no more: it does not fit here now." in sheet.findings[0].message
        assert {each.path for each in sheet.conflicts} == {"/_locked_owner", "/_locked_region"}
        with pytest.raises(InvalidInput, match="/_locked_owner does not fit there"):
            await scene.resolve("/_locked_owner", text=ANCHORED)
        left = await scene.resolve("/_locked_owner", take="base")
        assert (left.open_total, left.findings_total) == (0, 0)
        assert {each.path for each in (await scene.review()).resolutions} == {
            "/_locked_owner",
            "/_locked_region",
        }
