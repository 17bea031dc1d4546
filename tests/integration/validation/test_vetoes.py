"""Validators judge every promotion, that of a single branch too; a broken one refuses it loudly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bps.core.errors import MergeConflict, PluginError
from bps.core.ids import ReviewId
from bps.plans.blob import pack
from bps.plans.events import BlueprintPromoted
from bps.promotion.complete import CompleteReview
from bps.promotion.promote import Promote
from tests.asynchronous import asynchronous
from tests.checkout import VARIABLE, python_path
from tests.doubles import PLAN, WHO, ref
from tests.integration.validation.judged_plan import judged_plan
from tests.integration.validation.plugins import distribution, judge

BASE = b"title: checkout\nretries: 3\ntimeout_ms: 900\n_locked_owner: team-1\n"
FIX = BASE.replace(b"retries: 3", b"retries: 5")
UNLOCKED = BASE.replace(b"team-1", b"team-2")

_OK = "return []"
_COUNTS = """
with open(candidate.config['file'], 'a') as file:
    file.write('x')
return [Finding(ERROR, '', 'never', 'It says no.')] if candidate.config.get('no') else []
"""
_ONCE = """
import os
if os.path.exists(candidate.config['file']):
    raise ValueError('not yet')
return []
"""
_WARNS = "return [Finding(Severity.WARNING, '/retries', 'many', 'Rather many retries.')]"
_ANY = "\n    config_schema = {}\n"


def _open(name: str, body: str) -> str:
    """A validator that takes any configuration."""
    return judge(name, body).replace("(Validator):\n", f"(Validator):{_ANY}")


SOURCE = (
    _open("Counts", _COUNTS)
    + _open("Once", _ONCE)
    + judge("Warns", _WARNS)
    + judge("Raises", "raise ValueError('too bad')")
    + judge("Picky", "assert candidate.merged['retries'] < 5, 'too many for me'; return []")
    + judge("Hangs", "while True:\n    pass")
    + judge("Gone", "import os; os._exit(3)")
)


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    found = tmp_path_factory.mktemp("site")
    distribution(
        found,
        "t-vetoes",
        SOURCE,
        t_counts="Counts",
        t_once="Once",
        t_warns="Warns",
        t_raises="Raises",
        t_picky="Picky",
        t_hangs="Hangs",
        t_gone="Gone",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, python_path(found))
        yield


@asynchronous
async def test_a_single_branch_does_not_pass_by_a_veto() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        branch = await scene.succeed("T1", UNLOCKED)
        with pytest.raises(MergeConflict) as refusal:
            await scene.promote(branch)
        assert refusal.value.facts["conflicts"] == 1
        review = await scene.review()
        assert [(each.path, each.kind) for each in review.conflicts] == [
            ("/_locked_owner", "semantic")
        ]
        assert [each.rr_plan for each in review.contributors] == [branch.rr_plan]
        (said,) = review.findings
        assert (said.source, said.severity) == ("locked-fields", "error")
        assert said.path == "/_locked_owner"
        assert said.line == 4
        assert len(await scene.versions()) == 1
        assert (await scene.states())[branch.rr_plan] == "SUCCEEDED"
        await scene.proven()


@asynchronous
async def test_a_person_cannot_complete_what_a_validator_vetoes() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        await scene.succeed("T1", UNLOCKED)
        await scene.refused()
        with pytest.raises(MergeConflict):
            await scene.path.execute(CompleteReview(WHO, "c", ReviewId(PLAN, 1)))
        assert len(await scene.versions()) == 1
        await scene.set_policy(validators=[])
        done = await scene.path.execute(CompleteReview(WHO, "c2", ReviewId(PLAN, 1)))
        assert done.result.version == 2
        await scene.proven()


@asynchronous
async def test_what_law_1_tells_is_published_with_the_names_of_who_judged_it() -> None:
    async with judged_plan(BASE, "locked-fields", "uniqueness") as scene:
        branch = await scene.succeed("T1", FIX)
        scene.store.reset()
        result = await scene.promote(branch)
        assert scene.store.calls == ["commit"]
        assert [each.state.value for each in result.contributors] == ["PROMOTED"]
        body = (await scene.log())[-1][1]
        assert isinstance(body, BlueprintPromoted)
        assert body.digest == pack(FIX).digest
        assert body.merge is not None
        assert [each.name for each in body.merge.validators] == ["locked-fields", "uniqueness"]
        await scene.proven()


@asynchronous
async def test_who_is_vetoed_does_not_keep_the_others_from_being_published() -> None:
    async with judged_plan(BASE, "locked-fields") as scene:
        vetoed = await scene.succeed("T1", UNLOCKED)
        free = await scene.succeed("T2", FIX)
        result = await scene.promote()
        assert [each.rr_plan for each in result.contributors] == [free.rr_plan]
        assert result.in_review == [vetoed.rr_plan]
        assert result.version == 2
        await scene.proven()


@asynchronous
async def test_a_warning_is_told_and_does_not_block() -> None:
    async with judged_plan(BASE, "t-warns") as scene:
        result = await scene.promote(await scene.succeed("T1", FIX))
        assert (result.how, result.version) == ("promotion", 2)
        assert result.findings == ["Rather many retries."]
        await scene.proven()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("t-raises", "too bad"),
        ("t-gone", "ended its process"),
        ("t-hangs", "killed after"),
        ("t-nowhere", "not installed"),
    ],
)
@pytest.mark.parametrize("merged", [False, True])
@asynchronous
async def test_a_validator_that_does_not_work_refuses_by_its_name(
    name: str, why: str, merged: bool
) -> None:
    async with judged_plan(BASE, "locked-fields", name) as scene:
        branches = [await scene.succeed("T1", FIX)]
        if merged:
            other = BASE.replace(b"timeout_ms: 900", b"timeout_ms: 1800")
            branches.append(await scene.succeed("T2", other))
        events, scene_revision = await scene.types(), (await scene.memory.status())[0].revision
        with pytest.raises(PluginError) as refusal:
            await scene.promote()
        assert refusal.value.facts["validators"] == [name]
        assert name in refusal.value.message
        assert why in refusal.value.message
        assert (await scene.memory.status())[0].revision == scene_revision
        assert await scene.types() == events


@asynchronous
async def test_who_crashes_a_validator_is_named_and_keeps_nobody_else_from_being_published() -> (
    None
):
    async with judged_plan(BASE, "locked-fields", "t-picky") as scene:
        bad = await scene.succeed("T1", FIX)
        good = await scene.succeed("T2", BASE.replace(b"timeout_ms: 900", b"timeout_ms: 1800"))
        result = await scene.promote()
        assert [each.rr_plan for each in result.contributors] == [good.rr_plan]
        assert (result.version, result.review, result.in_review) == (2, None, [])
        (said,) = result.findings
        assert bad.rr_plan in said
        assert "t-picky" in said
        assert "too many for me" in said
        assert (await scene.states())[bad.rr_plan] == "SUCCEEDED"
        # It fails closed: nothing of it is published, alone or by name, and the answer names it.
        for named in ([], [bad]):
            with pytest.raises(PluginError) as refusal:
                await scene.promote(*named)
            assert refusal.value.facts["rr_plans"] == [bad.rr_plan]
            assert bad.rr_plan in refusal.value.message
            assert "bps branch fail" in (refusal.value.next_action or "")
        assert len(await scene.versions()) == 2
        await scene.proven()


@asynchronous
async def test_a_set_that_was_named_is_published_whole_or_not_at_all() -> None:
    async with judged_plan(BASE, "t-picky") as scene:
        bad = await scene.succeed("T1", FIX)
        good = await scene.succeed("T2", BASE.replace(b"timeout_ms: 900", b"timeout_ms: 1800"))
        with pytest.raises(PluginError) as refusal:
            await scene.promote(bad, good)
        assert all(each.rr_plan in refusal.value.message for each in (bad, good))
        assert len(await scene.versions()) == 1


@asynchronous
async def test_a_validator_that_works_again_is_asked_again(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    async with judged_plan(BASE, ("t-once", {"file": str(broken)})) as scene:
        command = Promote(WHO, "again", PLAN, (ref(await scene.succeed("T1", FIX)),))
        with pytest.raises(PluginError, match="not yet"):
            await scene.path.execute(command)
        broken.unlink()
        assert (await scene.path.execute(command)).result.version == 2


@asynchronous
async def test_a_second_look_reads_and_judges_nothing(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    async with judged_plan(BASE, ("t-counts", {"file": str(asked), "no": True})) as scene:
        await scene.succeed("T1", FIX)
        for _ in range(3):
            await scene.refused()
        # Once against canonical; the review's own look is the same work.
        assert asked.read_text() == "x"


@asynchronous
async def test_what_is_canonical_already_and_a_revert_are_not_judged(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    async with judged_plan(BASE) as scene:
        same = await scene.open("T1")
        await scene.promote(await scene.succeed("T2", FIX))
        await scene.set_policy(
            validators=[{"name": "t-counts", "config": {"file": str(asked), "no": True}}]
        )
        await scene.submit(same, FIX)
        assert (await scene.promote(same)).how == "unchanged"
        assert (await scene.revert(1)).version == 3
        assert not asked.exists()
        await scene.proven()
