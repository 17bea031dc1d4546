"""etcd members frozen: connections stay open, nothing answers, their clocks go on."""

from __future__ import annotations

from abc import abstractmethod

from tests.cluster import CLUSTER_SIZE
from tests.fault.failpoints.base import Fault, FaultFailedError, Part
from tests.fault.sidecar_process import LEASE_TTL_S


class _Frozen(Fault):
    part = Part.ETCD

    @abstractmethod
    async def _victims(self) -> list[int]:
        """The members that it hits."""

    async def inject(self) -> None:
        self.victims = await self._victims()
        for index in self.victims:
            await self.etcd.does(self.etcd.member(index).pause)

    async def evidence(self) -> str:
        for index in self.victims:
            if not await self.etcd.is_faulty(index):
                raise FaultFailedError(f"{self.etcd.member(index).name} is not frozen")
        await self.etcd.cut_off(*self.victims)
        return f"{', '.join(self.etcd.member(index).name for index in self.victims)} frozen"

    async def heal(self) -> None:
        await self.etcd.heal(*self.victims)


class LeaderFrozen(_Frozen):
    """etcd's leader, for longer than the leading sidecar's lease lasts."""

    name = "etcd leader frozen"
    lasts_s = (LEASE_TTL_S + 1.0, LEASE_TTL_S + 2.0)
    weight = 4

    async def _victims(self) -> list[int]:
        return [await self.etcd.leader()]

    async def evidence(self) -> str:
        (victim,) = self.victims
        successor = await self.etcd.leader(other_than=victim)
        return f"{await super().evidence()}, {self.etcd.member(successor).name} leads"


class FollowerFrozen(_Frozen):
    """One follower: its clients have to go elsewhere."""

    name = "etcd follower frozen"

    async def _victims(self) -> list[int]:
        return (await self.etcd.followers())[:1]


class QuorumFrozen(_Frozen):
    """Two members: the quorum is gone, and what they were sent may be applied after the thaw."""

    name = "two etcd members frozen"

    async def _victims(self) -> list[int]:
        return self.source.sample(range(CLUSTER_SIZE), 2)
