"""Receipts against the log, and the proofs of a real log in a memory store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bps.core import keys
from bps.core.txn import Put, Txn
from tests.asynchronous import asynchronous
from tests.doubles.scene import PLAN, Scene
from tests.fault.check_effects import check_effects
from tests.fault.check_receipts import check_proofs, check_receipts
from tests.fault.final_state import read_final
from tests.fault.history import History, Ok, Operation
from tests.unit.fault.story import Story, digest_of, good, kinds


@pytest.mark.parametrize("gone", [True, False])
def test_a_receipt_that_the_log_does_not_hold_is_found(gone: bool) -> None:
    story = good()
    last = story.operations[-1]
    if gone:
        story.forget(last)
    else:
        story.events[-1] = replace(story.events[-1], hash=digest_of("rewritten"))
    found = check_receipts(story.history, story.final)
    assert kinds(found) == {"lost"}
    assert [each.ops for each in found] == [(last.id,)]


def test_a_refused_operation_has_no_receipt() -> None:
    story = Story()
    story.register()
    assert check_receipts(story.history, story.final) == []


async def _promoted() -> tuple[Scene, History]:
    """A plan with one promotion, and the operation that was given its receipt."""
    scene = await Scene.make()
    opened = await scene.open("trace", "cause")
    await scene.submit(opened, b"v2")
    result = await scene.promote(opened)
    assert result.receipt is not None
    receipt = {"plan": PLAN, "seq": result.receipt.seq, "hash": result.receipt.hash}
    told = {"version": 2, "digest": result.digest, "receipt": receipt}
    event = (await read_final(scene.memory, [PLAN])).events[PLAN][-1]
    operation = Operation(0, event.op_id, "promote", PLAN, {}, 1, 2, Ok(told))
    return scene, History((operation,))


@asynchronous
async def test_the_final_state_is_read_as_it_was_written() -> None:
    scene, history = await _promoted()
    final = await read_final(scene.memory, [PLAN, "EP-9"])
    types = [event.type for event in final.events[PLAN]]
    assert types == ["PLAN_REGISTERED", "BRANCH_OPENED", "BRANCH_SUCCEEDED", "BLUEPRINT_PROMOTED"]
    assert [event.seq for event in final.events[PLAN]] == [1, 2, 3, 4]
    assert all(event.revision == event.created for event in final.events[PLAN])
    last = final.events[PLAN][-1]
    assert (last.version, last.op) == (2, f"tester/{history.operations[0].id}")
    assert final.events["EP-9"] == ()
    assert check_receipts(history, final) == []
    promotion = [each for each in check_effects(history, final) if "promote" in each.what]
    assert promotion == []


@asynchronous
async def test_proofs_of_a_sound_log_pass() -> None:
    scene, history = await _promoted()
    assert await check_proofs(scene.memory, history, [PLAN, "EP-9"]) == []


@asynchronous
async def test_a_receipt_of_another_history_is_a_loss() -> None:
    scene, history = await _promoted()
    (operation,) = history.operations
    assert isinstance(operation.outcome, Ok)
    receipt = {**operation.outcome.result["receipt"], "hash": digest_of("another")}
    other = replace(operation, outcome=Ok({"receipt": receipt}))
    found = await check_proofs(scene.memory, History((other,)), [PLAN])
    assert [(each.kind, each.what[:12]) for each in found] == [("lost", "CHAIN_BROKEN")]
    assert operation.id in found[0].what


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (keys.PlanKeys(PLAN).event(2), "CHAIN_BROKEN"),
        (keys.PlanKeys(PLAN).canonical, "REPLAY_DIVERGED"),
    ],
)
def test_a_changed_record_is_found(key: bytes, code: str) -> None:
    @asynchronous
    async def test() -> None:
        scene, history = await _promoted()
        await scene.memory.commit(Txn((), (Put(key, b'{"forged":1}'),)))
        found = await check_proofs(scene.memory, history, [PLAN])
        assert [each.what.partition(":")[0] for each in found] == [code]

    test()
