"""etcd members killed with SIGKILL, and started again on their data."""

from __future__ import annotations

import asyncio
from abc import abstractmethod

from tests.cluster import CLUSTER_SIZE
from tests.fault.failpoints.base import Fault, FaultFailedError, Part


class _Killed(Fault):
    part = Part.ETCD

    @abstractmethod
    async def _victims(self) -> list[int]:
        """The members that it hits."""

    async def inject(self) -> None:
        self.victims = await self._victims()
        await asyncio.gather(
            *(self.etcd.does(self.etcd.member(index).kill) for index in self.victims)
        )

    async def evidence(self) -> str:
        for index in self.victims:
            if not await self.etcd.is_faulty(index):
                raise FaultFailedError(f"{self.etcd.member(index).name} still runs")
        await self.etcd.cut_off(*self.victims)
        return f"{', '.join(self.etcd.member(index).name for index in self.victims)} exited"

    async def heal(self) -> None:
        await self.etcd.heal(*self.victims)


class LeaderKilled(_Killed):
    """etcd's leader: the others elect another."""

    name = "etcd leader killed"
    weight = 4

    async def _victims(self) -> list[int]:
        return [await self.etcd.leader()]


class FollowerKilled(_Killed):
    """One follower: the quorum stays."""

    name = "etcd follower killed"

    async def _victims(self) -> list[int]:
        return (await self.etcd.followers())[:1]


class QuorumKilled(_Killed):
    """Two members, the leader among them or not: the quorum is gone."""

    name = "two etcd members killed"

    async def _victims(self) -> list[int]:
        return self.source.sample(range(CLUSTER_SIZE), 2)


class AllRestarted(_Killed):
    """All members at once: only what was synced to disk is left."""

    name = "all etcd members restarted"
    lasts_s = (0.2, 1.5)

    async def _victims(self) -> list[int]:
        return list(range(CLUSTER_SIZE))
