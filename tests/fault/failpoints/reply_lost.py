"""The reply to a promotion is lost after etcd committed it."""

from __future__ import annotations

from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, Part
from tests.fault.failpoints.promotion_trap import trapped_promotion
from tests.fault.proxy import Side


class ReplyLost(Fault):
    """From a promotion's transaction on, the leading sidecar gets no answer any more."""

    name = "reply lost after commit"
    part = Part.SIDECAR
    lasts_s = (0.3, 2.0)
    weight = 4

    async def inject(self) -> None:
        before = {each.name: each.proxy.counts["answers lost"] for each in self.scene.sidecars}
        sidecar, _ = await trapped_promotion(self.scene, Side.REPLY)
        self.proxy, self.before = sidecar.proxy, before[sidecar.name]

    async def evidence(self) -> str:
        def lost() -> int:
            return self.proxy.counts["answers lost"] - self.before

        async def some() -> bool:
            return lost() > 0

        await until(some, "the reply to a promotion was lost", deadline_s=6.0)
        return f"{lost()} chunks of replies lost, from a promotion on"

    async def heal(self) -> None:
        self.proxy.calm()
