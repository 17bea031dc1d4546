"""30 % of packets lost, at a member or between a sidecar and etcd."""

from __future__ import annotations

from tests.cluster import CLUSTER_SIZE
from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, Need, Part
from tests.fault.failpoints.member_isolated import dropped

_SHARE = 0.3


class PacketLoss(Fault):
    """All that reaches one member, from peers and clients, by the kernel's own counters."""

    name = "30 % packet loss at an etcd member"
    part = Part.ETCD
    needs = frozenset({Need.CONTAINERS, Need.IPTABLES})
    lasts_s = (2.0, 4.0)

    _RULE = (
        *("INPUT", "-p", "tcp", "-m", "statistic", "--mode", "random"),
        *("--probability", str(_SHARE), "-j", "DROP"),
    )

    async def inject(self) -> None:
        self.victim = self.source.randrange(CLUSTER_SIZE)
        await self.etcd.iptables(self.victim, "-I", *self._RULE)

    async def evidence(self) -> str:
        async def some() -> bool:
            listing = await self.etcd.iptables(self.victim, "-L", "INPUT", "-v", "-x", "-n")
            self.packets = dropped(listing)
            return self.packets > 0

        await until(some, "packets were dropped", deadline_s=5.0)
        return f"{self.packets} packets to {self.etcd.member(self.victim).name} dropped"

    async def heal(self) -> None:
        await self.etcd.iptables(self.victim, "-D", *self._RULE)


class LossyWire(Fault):
    """Between the leading sidecar and etcd: 30 % of chunks come late, as after a retransmission."""

    name = "30 % loss between sidecar and etcd"
    part = Part.SIDECAR
    lasts_s = (2.0, 4.0)

    async def inject(self) -> None:
        self.proxy = (await self.scene.leading()).proxy
        self.before = self.proxy.counts["chunks resent"]
        self.proxy.loss = _SHARE

    async def evidence(self) -> str:
        def resent() -> int:
            return self.proxy.counts["chunks resent"] - self.before

        async def some() -> bool:
            return resent() > 0

        await until(some, "chunks were lost", deadline_s=5.0)
        return f"{resent()} chunks held as if lost"

    async def heal(self) -> None:
        self.proxy.calm()
