"""What happens in the store while nobody knows whether a write of ours was applied."""

from __future__ import annotations

import asyncio

import pytest

from bps.core.errors import (
    FencedOut,
    IdempotencyKeyReused,
    LeaseLost,
    OutcomeUnknown,
)
from bps.core.ports import Store
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.writepath.command import Outcome
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous, eventually
from tests.doubles import PLAN, WHO, ApplyLate, Fault, FaultyStore, HeldAuthority, Scene, ref
from tests.unit.writepath.one_promotion import (
    FOREVER,
    AnyFault,
    check_exactly_one,
    op_record,
    promotions,
    scene_and_command,
)


async def in_doubt(scene: Scene, command: Promote, original: AnyFault) -> InDoubt:
    """Send `command` with `original`, and stop its settlement until `InDoubt.go_on`."""
    faulty = FaultyStore(scene.memory)
    faulty.commits_only = True
    faulty.script.extend((original, *[Fault.UNAVAILABLE] * FOREVER))
    path = WritePath(faulty, scene.authority, _Patient(scene))
    task = asyncio.create_task(path.execute(command))

    async def asked() -> bool:
        return len(faulty.met) > 1

    await eventually(asked, "the settlement began")
    return InDoubt(faulty, task)


class _Patient:
    """A clock on which settlements never reach their deadline."""

    def __init__(self, scene: Scene) -> None:
        self._clock = scene.clock

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, delay_s: float) -> None:  # noqa: ARG002 - no time passes
        await asyncio.sleep(0)


class InDoubt:
    def __init__(self, faulty: FaultyStore, task: asyncio.Task[Outcome[PromotionResult]]) -> None:
        self._faulty = faulty
        self._task = task

    async def go_on(self) -> Outcome[PromotionResult]:
        self._faulty.script.clear()
        return await self._task


@asynchronous
async def test_the_same_operation_id_used_elsewhere_while_in_doubt_is_not_taken_for_ours() -> None:
    scene, command = await scene_and_command()
    await scene.register(plan="EP-2")
    other = await scene.succeed("T1", b"v2", plan="EP-2")
    doubt = await in_doubt(scene, command, Fault.LOSE_REQUEST)
    await scene.path.execute(Promote(WHO, "p", "EP-2", (ref(other),)))
    with pytest.raises(IdempotencyKeyReused):
        await doubt.go_on()
    assert await promotions(scene) == 0


@asynchronous
async def test_without_the_fence_a_write_that_was_not_applied_never_will_be() -> None:
    scene, command = await scene_and_command()
    doubt = await in_doubt(scene, command, ApplyLate(FOREVER))
    await HeldAuthority.take(scene.memory)
    with pytest.raises(FencedOut):
        await doubt.go_on()
    assert await promotions(scene) == 0


@asynchronous
async def test_without_the_fence_a_write_that_was_applied_brings_its_result() -> None:
    scene, command = await scene_and_command()
    doubt = await in_doubt(scene, command, Fault.LOSE_REPLY)
    await HeldAuthority.take(scene.memory)
    outcome = await doubt.go_on()
    assert outcome.result.version == 2
    assert await promotions(scene) == 1


@asynchronous
async def test_a_lost_leadership_does_not_turn_a_doubt_into_a_refusal() -> None:
    scene, command = await scene_and_command()
    doubt = await in_doubt(scene, command, Fault.LOSE_REPLY)
    scene.authority.lost = True
    with pytest.raises(OutcomeUnknown) as unknown:
        await doubt.go_on()
    assert isinstance(unknown.value.__cause__, LeaseLost)
    scene.authority.lost = False
    await check_exactly_one(scene, command, None)


@asynchronous
async def test_a_former_leader_is_fenced_out_and_writes_nothing() -> None:
    scene, command = await scene_and_command()
    store: Store = scene.store
    successor = WritePath(store, await HeldAuthority.take(scene.memory), scene.clock)
    for path in (scene.path, scene.cold()):
        with pytest.raises(FencedOut):
            await path.execute(command)
    assert await promotions(scene) == 0
    assert await op_record(scene) is None
    assert (await successor.execute(command)).how == "committed"
    with pytest.raises(FencedOut):
        await scene.path.execute(Promote(WHO, "q", PLAN, command.refs))
