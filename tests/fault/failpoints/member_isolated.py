"""A member without its peers, while clients still reach it."""

from __future__ import annotations

from tests.cluster import CLUSTER_SIZE
from tests.fault.failpoints.base import Fault, FaultFailedError, Need, Part


class LeaderIsolated(Fault):
    """etcd's leader, both ways: it answers clients and commits nothing."""

    name = "etcd leader isolated"
    part = Part.ETCD
    lasts_s = (2.0, 4.0)
    weight = 3

    async def inject(self) -> None:
        self.victim = await self._victim()
        await self.etcd.does(self.etcd.member(self.victim).isolate)

    async def _victim(self) -> int:
        return await self.etcd.leader()

    async def evidence(self) -> str:
        await self.etcd.cut_off(self.victim)
        leader = await self.etcd.leader(other_than=self.victim)
        name = self.etcd.member(self.victim).name
        return f"{name} reaches no quorum, {self.etcd.member(leader).name} leads"

    async def heal(self) -> None:
        await self.etcd.heal(self.victim)


class FollowerIsolated(LeaderIsolated):
    """A follower, both ways: it campaigns in vain, and disturbs when it comes back."""

    name = "etcd follower isolated"

    async def _victim(self) -> int:
        return (await self.etcd.followers())[0]


class MemberOneWay(Fault):
    """A member that its peers hear, and that hears nothing of them."""

    name = "etcd member isolated one way"
    part = Part.ETCD
    needs = frozenset({Need.CONTAINERS, Need.IPTABLES})
    lasts_s = (2.0, 4.0)

    _RULES = tuple(
        ("INPUT", "-p", "tcp", side, "2380", "-j", "DROP") for side in ("--dport", "--sport")
    )

    async def inject(self) -> None:
        self.victim = self.source.randrange(CLUSTER_SIZE)
        for rule in self._RULES:
            await self.etcd.iptables(self.victim, "-I", *rule)

    async def evidence(self) -> str:
        packets = dropped(await self.etcd.iptables(self.victim, "-L", "INPUT", "-v", "-x", "-n"))
        if not packets:
            raise FaultFailedError("no packet was dropped")
        return f"{packets} packets to {self.etcd.member(self.victim).name} dropped"

    async def heal(self) -> None:
        for rule in self._RULES:
            await self.etcd.iptables(self.victim, "-D", *rule)


def dropped(listing: str) -> int:
    """How many packets the DROP rules of an `iptables -L -v -x` listing counted."""
    rows = (line.split() for line in listing.splitlines())
    return sum(int(row[0]) for row in rows if len(row) > 2 and row[2] == "DROP")
