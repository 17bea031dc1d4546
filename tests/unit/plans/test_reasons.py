"""What is closed for good, or stops others, says why."""

from __future__ import annotations

import pytest

from bps.core.errors import InvalidInput
from bps.leadership.operator_mode import SetOperatorMode
from bps.plans.branches import FailBranch
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, Scene, ref

BASE = b"title: checkout\n"


@pytest.mark.parametrize("reason", ["", " ", "\n"])
@asynchronous
async def test_an_empty_reason_is_refused_and_changes_nothing(reason: str) -> None:
    scene = await Scene.make(content=BASE)
    branch = await scene.succeed("C1", b"title: other\n")
    before = await scene.head()
    for act in (
        FailBranch(WHO, scene.op(), PLAN, ref(branch), reason),
        SetOperatorMode(WHO, scene.op(), "READ_ONLY", reason),
    ):
        with pytest.raises(InvalidInput, match="The reason is empty") as refusal:
            await scene.path.execute(act)
        assert refusal.value.facts["field"] == "reason"
    assert await scene.head() == before


@asynchronous
async def test_letting_all_write_again_needs_none() -> None:
    scene = await Scene.make(content=BASE)
    await scene.path.execute(SetOperatorMode(WHO, scene.op(), "READ_ONLY", "a restore"))
    done = await scene.path.execute(SetOperatorMode(WHO, scene.op(), "READ_WRITE", ""))
    assert done.result.mode == "READ_WRITE"
