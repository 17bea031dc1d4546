"""Where faults wait for a promotion's transaction on its way from a sidecar to etcd."""

from __future__ import annotations

import asyncio

from tests.fault.failpoints.base import FaultFailedError
from tests.fault.proxy import Side, Trap
from tests.fault.scene import Scene
from tests.fault.sidecar_process import SidecarProcess

_MARKER = b"BLUEPRINT_PROMOTED"
"""In every transaction that promotes, and in no other request to etcd."""
_DEADLINE_S = 12.0


async def trapped_promotion(scene: Scene, side: Side) -> tuple[SidecarProcess, Trap]:
    """The next promotion, whoever leads then; traps of the other sidecars are taken away.

    Raises:
        FaultFailedError: nobody promotes.
    """
    living = [each for each in scene.sidecars if each.lives]
    traps = [each.proxy.set_trap(_MARKER, side) for each in living]
    waiting = [asyncio.create_task(trap.sprung.wait()) for trap in traps]
    try:
        await asyncio.wait(waiting, timeout=_DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        found = next((n for n, trap in enumerate(traps) if trap.sprung.is_set()), None)
        for n, each in enumerate(living):
            if n != found:
                each.proxy.calm()
        if found is None:
            raise FaultFailedError("nobody promoted, so that no transaction could be trapped")
        return living[found], traps[found]
    finally:
        for task in waiting:
            task.cancel()
