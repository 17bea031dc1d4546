"""More conflicts than a person could decide: refused by name, with the way on."""

from __future__ import annotations

import pytest

from bps.candidates import merging
from bps.core.error_catalogue import next_action_of
from bps.core.errors import LimitExceeded, MergeConflict
from bps.plans.results import BranchResult
from tests.asynchronous import asynchronous
from tests.doubles import Scene

MOST = 40


def blueprint(value: str, conflicts: int) -> bytes:
    return "".join(f"k{n}: {value}\n" for n in range(conflicts)).encode()


async def fork(conflicts: int) -> tuple[Scene, BranchResult, BranchResult]:
    """Two fixes that change the same keys otherwise."""
    scene = await Scene.make(content=blueprint("old", conflicts))
    one, other = [
        await scene.succeed(name, blueprint(name, conflicts)) for name in ("one", "other")
    ]
    return scene, one, other


@asynchronous
async def test_as_many_as_are_allowed_wait_in_a_review(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "MOST_CONFLICTS", MOST)
    scene, _, _ = await fork(MOST)
    with pytest.raises(MergeConflict) as refusal:
        await scene.promote()
    assert refusal.value.facts["conflicts"] == MOST


@asynchronous
async def test_more_are_refused_and_promoting_alone_and_rebasing_lead_on() -> None:
    most = merging.MOST_CONFLICTS
    scene, one, other = await fork(most + 1)
    before = (await scene.memory.status())[0].revision
    with pytest.raises(LimitExceeded, match=r"more than 5,000 conflicts") as refusal:
        await scene.promote()
    assert (await scene.memory.status())[0].revision == before
    assert refusal.value.facts["rr_plans"] == sorted([one.rr_plan, other.rr_plan])
    assert "by name" in next_action_of(refusal.value)
    assert (await scene.promote(one)).version == 2
    with pytest.raises(LimitExceeded) as refusal:
        await scene.promote(other)
    assert next_action_of(refusal.value).startswith("Rebase it")
    await scene.submit(await scene.rebase(other), blueprint("both", most + 1))
    assert (await scene.promote()).version == 3
