"""A promotion whose answers get lost, and what must hold of it when everything has arrived."""

from __future__ import annotations

from typing import TypeAlias

from bps.core import keys
from bps.promotion.promote import Promote
from bps.promotion.results import PromotionResult
from bps.writepath.command import OpRecord, Outcome
from tests.doubles import PLAN, WHO, ApplyLate, Fault, Scene, ref

AnyFault: TypeAlias = Fault | ApplyLate
OP_KEY = keys.op(WHO, "p")
FOREVER = 100_000


async def scene_and_command() -> tuple[Scene, Promote]:
    """A warm scene in which the command promotes one branch."""
    scene = await Scene.make()
    branch = await scene.succeed("T1", b"v2")
    scene.store.reset()
    return scene, Promote(WHO, "p", PLAN, (ref(branch),))


async def op_record(scene: Scene) -> OpRecord | None:
    found = await scene.below(OP_KEY)
    return OpRecord.decode(found[0].value) if found else None


async def promotions(scene: Scene) -> int:
    return (await scene.types()).count("BLUEPRINT_PROMOTED")


async def check_exactly_one(
    scene: Scene, command: Promote, outcome: Outcome[PromotionResult] | None
) -> None:
    """When everything has arrived: one promotion, whose result everybody gets."""
    scene.faulty.script.clear()
    await scene.faulty.arrive()
    assert await promotions(scene) <= 1
    again = await scene.path.execute(command)
    if outcome is not None:
        assert again.how == "repeated"
        assert again.result == outcome.result
    assert (await scene.cold().execute(command)).result == again.result
    await scene.faulty.arrive()
    assert await promotions(scene) == 1
    assert [version.version for version in await scene.versions()] == [1, 2]
    receipt = again.result.receipt
    assert receipt is not None
    event, _ = (await scene.log())[receipt.seq - 1]
    assert (event.op, event.type) == (f"{WHO}/p", "BLUEPRINT_PROMOTED")
