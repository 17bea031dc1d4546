"""The leading sidecar killed with SIGKILL: at any instant, or around a promotion's transaction."""

from __future__ import annotations

from tests.fault.failpoints.base import Fault, FaultFailedError, Part
from tests.fault.failpoints.promotion_trap import trapped_promotion
from tests.fault.proxy import Side


class SidecarKilled(Fault):
    """At an instant of chance."""

    name = "leading sidecar killed"
    part = Part.SIDECAR
    lasts_s = (0.5, 4.0)
    weight = 3
    trapped: Side | None = None

    async def inject(self) -> None:
        if self.trapped is None:
            self.sidecar = await self.scene.leading()
        else:
            self.sidecar, _ = await trapped_promotion(self.scene, self.trapped)
        await self.sidecar.kill()
        # What a dead process sent and etcd has not got yet never arrives.
        self.sidecar.proxy.calm()

    async def evidence(self) -> str:
        if self.sidecar.lives:
            raise FaultFailedError(f"{self.sidecar.name} lives")
        return f"{self.sidecar.name} exited"

    async def heal(self) -> None:
        self.sidecar.proxy.calm()
        if not self.sidecar.lives:
            self.sidecar.start()


class SidecarKilledBefore(SidecarKilled):
    """With a promotion decided, and its transaction not at etcd yet."""

    name = "leading sidecar killed before its transaction"
    alone = True
    trapped = Side.REQUEST


class SidecarKilledAfter(SidecarKilled):
    """With a promotion's transaction at etcd, and nobody told."""

    name = "leading sidecar killed after its transaction"
    alone = True
    trapped = Side.REPLY
