"""A timeout is neither success nor failure: whatever the network does, one promotion at most."""

from __future__ import annotations

from itertools import product

import pytest

from bps.core.errors import (
    IdempotencyKeyReused,
    NoSpace,
    OutcomeUnknown,
    Unavailable,
)
from bps.core.txn import Conflict, unchanged
from bps.promotion.promote import Promote
from bps.writepath.execution import SETTLEMENT_S
from tests.asynchronous import asynchronous
from tests.doubles import PLAN, WHO, ApplyLate, Fault, ref
from tests.unit.writepath.one_promotion import (
    FOREVER,
    OP_KEY,
    AnyFault,
    check_exactly_one,
    op_record,
    promotions,
    scene_and_command,
)

FAULTS: tuple[AnyFault, ...] = (
    Fault.NONE,
    Fault.LOSE_REPLY,
    Fault.LOSE_REQUEST,
    Fault.UNAVAILABLE,
    Fault.NO_LEASE,
    ApplyLate(1),
    ApplyLate(2),
    ApplyLate(4),
)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("first", FAULTS, ids=str)
@asynchronous
async def test_any_three_faults_in_a_row_leave_exactly_one_promotion(
    first: AnyFault, warm: bool
) -> None:
    for others in product(FAULTS, repeat=2):
        scene, command = await scene_and_command()
        scene.faulty.script.extend((first, *others))
        outcome = None
        try:
            outcome = await (scene.path if warm else scene.cold()).execute(command)
        except Unavailable:
            # Reading is not tried again here but in the adapter; nothing was written.
            assert await promotions(scene) == 0
            assert scene.faulty.met[-1][0] == "snapshot"
        await check_exactly_one(scene, command, outcome)


@asynchronous
async def test_a_reply_lost_after_the_commit_brings_the_committed_result() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.append(Fault.LOSE_REPLY)
    outcome = await scene.path.execute(command)
    assert outcome.how == "repeated"
    assert outcome.result.version == 2
    assert scene.store.calls == ["commit", "commit"]
    await check_exactly_one(scene, command, outcome)


@pytest.mark.parametrize("calls", range(1, 8))
@asynchronous
async def test_a_write_that_lands_after_its_settlement_does_not_commit(calls: int) -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.append(ApplyLate(calls))
    outcome = await scene.path.execute(command)
    assert outcome.how == "committed"
    await scene.faulty.arrive()
    assert [type(answer) for answer in scene.faulty.late] == [Conflict]
    await check_exactly_one(scene, command, outcome)


@asynchronous
async def test_a_settlement_whose_own_replies_are_lost_goes_on_until_it_knows() -> None:
    for original in (Fault.LOSE_REPLY, Fault.LOSE_REQUEST):
        scene, command = await scene_and_command()
        scene.faulty.script.extend((original, *[Fault.LOSE_REPLY] * 20))
        outcome = await scene.path.execute(command)
        assert outcome.how == ("repeated" if original is Fault.LOSE_REPLY else "committed")
        assert len(scene.faulty.met) == 21
        await check_exactly_one(scene, command, outcome)


@asynchronous
async def test_a_settlement_that_lands_late_does_not_undo_the_retry() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.extend((Fault.LOSE_REQUEST, ApplyLate(2), Fault.NONE))
    outcome = await scene.path.execute(command)
    await scene.faulty.arrive()
    assert [type(answer) for answer in scene.faulty.late] == [Conflict]
    await check_exactly_one(scene, command, outcome)


@asynchronous
async def test_a_retry_after_the_abort_compares_the_aborted_record() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.append(Fault.LOSE_REQUEST)
    await scene.path.execute(command)
    original, settlement, retry = scene.store.txns
    assert unchanged(OP_KEY, 0) in original.compares
    assert unchanged(OP_KEY, 0) in settlement.compares
    assert original.compares[0] == settlement.compares[0] == retry.compares[0]
    (found,) = (compare for compare in retry.compares if compare.key == OP_KEY)
    assert found == unchanged(OP_KEY, (await scene.below(OP_KEY))[0].mod_revision - 1)
    record = await op_record(scene)
    assert record is not None
    assert record.state == "DONE"


@asynchronous
async def test_a_retry_that_gets_lost_as_well_is_settled_against_the_aborted_record() -> None:
    scene, command = await scene_and_command()
    lost = (Fault.LOSE_REQUEST, Fault.NONE, Fault.NONE)
    scene.faulty.script.extend((*lost, *lost, *lost))
    outcome = await scene.path.execute(command)
    aborted = {
        compare
        for txn in scene.store.txns
        for compare in txn.compares
        if compare.key == OP_KEY and compare != unchanged(OP_KEY, 0)
    }
    assert len(aborted) == 3
    await check_exactly_one(scene, command, outcome)


@pytest.mark.parametrize("original", [Fault.LOSE_REPLY, Fault.LOSE_REQUEST, ApplyLate(1)], ids=str)
@asynchronous
async def test_without_an_answer_until_the_deadline_the_outcome_is_unknown(
    original: AnyFault,
) -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.extend((original, *[Fault.UNAVAILABLE] * FOREVER))
    before_s = scene.clock.monotonic_s()
    with pytest.raises(OutcomeUnknown) as unknown:
        await scene.path.execute(command)
    assert unknown.value.facts == {"op": f"{WHO}/p"}
    assert unknown.value.retryable
    assert SETTLEMENT_S <= scene.clock.monotonic_s() - before_s < SETTLEMENT_S + 1
    await check_exactly_one(scene, command, None)


@asynchronous
async def test_a_store_that_does_not_take_the_write_is_unavailable_at_the_deadline() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.extend([Fault.UNAVAILABLE] * FOREVER)
    before_s = scene.clock.monotonic_s()
    with pytest.raises(Unavailable):
        await scene.path.execute(command)
    assert 5 <= scene.clock.monotonic_s() - before_s < 6
    assert await op_record(scene) is None
    await check_exactly_one(scene, command, None)


@asynchronous
async def test_a_full_store_is_named_at_once() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.append(Fault.NO_SPACE)
    before_s = scene.clock.monotonic_s()
    with pytest.raises(NoSpace):
        await scene.path.execute(command)
    assert scene.clock.monotonic_s() == before_s
    await check_exactly_one(scene, command, None)


@asynchronous
async def test_the_write_that_passed_the_quota_is_done_and_says_so() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.append(Fault.LAST_SPACE)
    outcome = await scene.path.execute(command)
    assert outcome.how == "repeated"
    await check_exactly_one(scene, command, outcome)


@asynchronous
async def test_the_write_that_passed_the_quota_is_in_doubt_while_nobody_can_tell() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.extend((Fault.LAST_SPACE, Fault.UNAVAILABLE))
    with pytest.raises(OutcomeUnknown):
        await scene.path.execute(command)
    repeated = await scene.path.execute(command)
    assert repeated.how == "repeated"
    await check_exactly_one(scene, command, repeated)


@asynchronous
async def test_a_store_that_fills_up_while_a_write_is_in_doubt_does_not_hide_the_doubt() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.extend((Fault.LOSE_REPLY, *[Fault.NO_SPACE] * FOREVER))
    with pytest.raises(OutcomeUnknown):
        await scene.path.execute(command)
    await check_exactly_one(scene, command, None)


@asynchronous
async def test_a_lease_that_is_gone_is_replaced() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.append(Fault.NO_LEASE)
    outcome = await scene.path.execute(command)
    assert outcome.how == "committed"
    assert scene.authority.renewals == 1


@asynchronous
async def test_op_records_hang_on_the_ops_lease() -> None:
    scene, command = await scene_and_command()
    await scene.path.execute(command)
    (record,) = await scene.below(OP_KEY)
    assert record.lease_id == await scene.authority.ops_lease_id()


@asynchronous
async def test_a_repeated_operation_brings_the_same_result_even_in_another_state() -> None:
    scene, command = await scene_and_command()
    first = await scene.path.execute(command)
    await scene.promote(await scene.succeed("T2", b"v3"))
    for path in (scene.path, scene.cold()):
        again = await path.execute(command)
        assert (again.how, again.result) == ("repeated", first.result)
    assert await promotions(scene) == 2


@asynchronous
async def test_an_operation_id_with_another_request_is_refused() -> None:
    scene, command = await scene_and_command()
    await scene.path.execute(command)
    other = Promote(WHO, "p", PLAN, command.refs, "another reason")
    for path in (scene.path, scene.cold()):
        with pytest.raises(IdempotencyKeyReused) as refusal:
            await path.execute(other)
        assert refusal.value.facts == {"op": f"{WHO}/p"}


@asynchronous
async def test_principals_do_not_share_operation_ids() -> None:
    scene, command = await scene_and_command()
    await scene.path.execute(command)
    branch = await scene.succeed("T2", b"v3")
    outcome = await scene.path.execute(Promote("somebody", "p", PLAN, (ref(branch),)))
    assert outcome.how == "committed"


@asynchronous
async def test_an_aborted_operation_id_is_not_free_for_another_request() -> None:
    scene, command = await scene_and_command()
    scene.faulty.script.extend((Fault.LOSE_REQUEST, Fault.NONE, *[Fault.UNAVAILABLE] * FOREVER))
    with pytest.raises(Unavailable):
        await scene.path.execute(command)
    scene.faulty.script.clear()
    record = await op_record(scene)
    assert record is not None
    assert record.state == "ABORTED"
    with pytest.raises(IdempotencyKeyReused):
        await scene.path.execute(Promote(WHO, "p", PLAN, command.refs, "another reason"))
    await check_exactly_one(scene, command, None)
