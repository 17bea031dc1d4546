"""The leading sidecar frozen for longer than its lease, anywhere or in a promotion."""

from __future__ import annotations

from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, FaultFailedError, Part
from tests.fault.failpoints.promotion_trap import trapped_promotion
from tests.fault.proxy import Side
from tests.fault.sidecar_process import LEASE_TTL_S

_PAST_THE_LEASE = (LEASE_TTL_S + 0.5, LEASE_TTL_S + 2.0)


class SidecarFrozen(Fault):
    """SIGSTOP at any instant; it goes on as if no time had passed."""

    name = "leading sidecar frozen"
    part = Part.SIDECAR
    lasts_s = _PAST_THE_LEASE
    weight = 4

    async def inject(self) -> None:
        async def led() -> bool:
            self.sidecar = await self.scene.leading()
            self.before = await self.etcd.holding()
            return self.before is not None

        await until(led, "somebody leads", deadline_s=10.0)
        await self.sidecar.freeze()

    async def evidence(self) -> str:
        if self.sidecar.state != "T":
            raise FaultFailedError(f"{self.sidecar.name} is not frozen")
        if self.before is None:
            raise FaultFailedError("nobody led when it was frozen")

        async def deposed() -> bool:
            now = await self.etcd.holding()
            return now is None or now != self.before

        await until(deposed, "the lease of the frozen leader ended", deadline_s=10.0)
        return f"{self.sidecar.name} in state T past its lease"

    async def heal(self) -> None:
        self.sidecar.thaw()


class SidecarFrozenMidway(SidecarFrozen):
    """Frozen between its read and its transaction, which reaches etcd after the lease ended."""

    name = "leading sidecar frozen before its transaction"
    alone = True

    async def inject(self) -> None:
        self.sidecar, self.trap = await trapped_promotion(self.scene, Side.REQUEST)
        self.before = await self.etcd.holding()
        await self.sidecar.freeze()

    async def evidence(self) -> str:
        told = await super().evidence()
        # Before the thaw, so that nobody but etcd can refuse it.
        before = self.sidecar.proxy.counts["late requests"]
        self.trap.release()

        async def passed() -> bool:
            return self.sidecar.proxy.counts["late requests"] > before

        await until(passed, "the transaction was sent to etcd late", deadline_s=3.0)
        return f"{told}; a promotion's transaction came late"

    async def heal(self) -> None:
        self.sidecar.proxy.calm()
        self.sidecar.thaw()
