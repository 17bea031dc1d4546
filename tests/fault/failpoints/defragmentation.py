"""Members are defragmented under load: each stops answering while it rewrites its database."""

from __future__ import annotations

import asyncio

from tests.cluster import CLUSTER_SIZE
from tests.fault.failpoints.base import Fault, FaultFailedError, Need, Part


class Defragmented(Fault):
    """All members, one after the other, the leader included."""

    name = "defragmentation under load"
    part = Part.ETCD
    needs = frozenset({Need.MEMBER_DATA})
    lasts_s = (0.5, 1.0)

    async def inject(self) -> None:
        self.before = await self._files()
        for index in range(CLUSTER_SIZE):
            await self.etcd.call("/v3/maintenance/defragment", {}, member=index)

    async def evidence(self) -> str:
        after = await self._files()
        kept = [index for index in range(CLUSTER_SIZE) if after[index] == self.before[index]]
        if kept:
            raise FaultFailedError(f"members {kept} still have their old database file")
        return "each member has a new database file"

    async def heal(self) -> None:
        """Nothing is left of it."""

    async def _files(self) -> list[int]:
        def inode(index: int) -> int:
            return (self.etcd.member(index).data_dir / "member" / "snap" / "db").stat().st_ino

        return [await asyncio.to_thread(inode, index) for index in range(CLUSTER_SIZE)]
