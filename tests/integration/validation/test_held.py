"""An RR-plan that crashes a validator keeps nobody else from being published or reviewed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bps.core.errors import MergeConflict
from tests.asynchronous import asynchronous
from tests.checkout import VARIABLE, python_path
from tests.doubles import Scene
from tests.integration.validation.judged_plan import judged_plan
from tests.integration.validation.plugins import distribution, judge

BASE = b"title: checkout\nretries: 3\ntimeout_ms: 900\nlock: ok\n"
LOCKED = BASE.replace(b"lock: ok", b"lock: bad")
TITLED = BASE.replace(b"title: checkout", b"title: bad")
CLEAN = BASE.replace(b"timeout_ms: 900", b"timeout_ms: 1800")
CRASHES = BASE.replace(b"retries: 3", b"retries: 666")

SOURCE = judge(
    "Before",
    """
if candidate.merged['retries'] == 666: raise ValueError('x' * 400)
if candidate.merged['lock'] == 'bad': yield Finding(ERROR, '/lock', 'no', 'no lock')
""",
) + judge(
    "After",
    """
if candidate.merged['lock'] == 'bad': raise ValueError('boo')
if candidate.merged['title'] == 'bad': yield Finding(ERROR, '/title', 'no', 'no title')
""",
)


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    found = tmp_path_factory.mktemp("site")
    distribution(found, "t-held", SOURCE, t_before="Before", t_after="After")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(found))
        yield


async def judged_by(scene: Scene, name: str) -> None:
    """From now on; a write path that knows no other policy."""
    await scene.set_policy(validators=[{"name": name, "config": {}}])
    scene.path = scene.cold()


def findings_of(refusal: MergeConflict) -> list[str]:
    found = refusal.facts["findings"]
    assert isinstance(found, list)
    return [str(each) for each in found]


@asynchronous
async def test_who_crashes_inside_of_the_review_leaves_it_and_the_others_go_on() -> None:
    async with judged_plan(BASE, "t-before") as scene:
        inside = await scene.succeed("T1", LOCKED)
        await scene.refused()
        # A decision that keeps what is objected to, so that the next validator meets it.
        await scene.resolve("/lock", inside)
        assert len((await scene.review()).resolutions) == 1
        await judged_by(scene, "t-after")
        clean, vetoed = await scene.succeed("T2", CLEAN), await scene.succeed("T3", TITLED)
        result = await scene.promote()
        assert [each.rr_plan for each in result.contributors] == [clean.rr_plan]
        assert (result.version, result.in_review) == (2, [vetoed.rr_plan])
        held, gone, said = result.findings
        assert held.startswith(f"{inside.rr_plan} was not judged and is left out: ")
        assert "boo" in held
        assert gone.startswith("Out of EP-1-RV1 ")
        assert inside.rr_plan in gone
        assert said == "no title"
        review = await scene.review()
        assert [each.rr_plan for each in review.contributors] == [vetoed.rr_plan]
        assert [each.path for each in review.conflicts] == ["/title"]
        # What was decided waits, as it may be asked again.
        assert [each.path for each in review.resolutions] == ["/lock"]
        assert ("waiting", "/lock") in {(e.code, e.path) for e in (await scene.sheet()).findings}
        assert (await scene.states())[inside.rr_plan] == "SUCCEEDED"
        # A validator that can judge it takes it up again.
        await judged_by(scene, "t-before")
        again = await scene.promote()
        assert [each.rr_plan for each in again.contributors] == [vetoed.rr_plan]
        assert (again.in_review, again.findings) == ([inside.rr_plan], ["no lock"])
        await scene.proven()


@asynchronous
async def test_who_is_named_joins_the_review_without_who_crashes_there() -> None:
    async with judged_plan(BASE, "t-before") as scene:
        inside = await scene.succeed("T1", LOCKED)
        await scene.refused()
        await judged_by(scene, "t-after")
        vetoed = await scene.succeed("T2", TITLED)
        with pytest.raises(MergeConflict) as refusal:
            await scene.promote(vetoed)
        assert refusal.value.facts["rr_plans"] == [vetoed.rr_plan]
        told = findings_of(refusal.value)
        assert [inside.rr_plan in each for each in told] == [True, True, False]
        review = await scene.review()
        assert [each.rr_plan for each in review.contributors] == [vetoed.rr_plan]
        await scene.proven()


@asynchronous
async def test_each_refusal_names_who_is_vetoed_and_who_crashes() -> None:
    async with judged_plan(BASE, "t-before") as scene:
        crashes, vetoed = await scene.succeed("T1", CRASHES), await scene.succeed("T2", LOCKED)
        for _ in range(3):
            refusal = await scene.refused()
            assert refusal.facts["rr_plans"] == [vetoed.rr_plan]
            held, said = findings_of(refusal)
            assert held.startswith(f"{crashes.rr_plan} was not judged and is left out: ")
            # Its 400 characters are cut, and the answer says so.
            assert "characters more)" in held
            assert len(held) < 500
            assert said == "no lock"
        assert len(await scene.versions()) == 1
        await scene.proven()
