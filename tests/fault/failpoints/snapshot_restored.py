"""An older state of the store is put back under running sidecars."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable

from bps.leadership.modes import Reason
from tests.cluster import CLUSTER_SIZE
from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, Need, Part

_REFUSED_S = 20.0


class SnapshotRestored(Fault):
    """All members go back to a copy of their data; acknowledged writes are lost, and it is seen."""

    name = "older snapshot restored"
    part = Part.ETCD
    needs = frozenset({Need.MEMBER_DATA})
    lasts_s = (1.5, 2.5)
    weight = 1
    closes = True

    async def inject(self) -> None:
        """Take the copy. The members stop for that, as a copy of a running one is none."""
        await self._swap(self._copy)

    async def evidence(self) -> str:
        """Put it back; every sidecar has to refuse it by name."""
        self.scene.is_broken = True
        await self._swap(self._restore)
        await self.etcd.healthy()

        async def refused() -> bool:
            reasons = [await each.reason() for each in self.scene.sidecars if each.lives]
            return bool(reasons) and set(reasons) == {Reason.STORE_ROLLED_BACK.value}

        await until(refused, "every sidecar refuses the older state", deadline_s=_REFUSED_S)
        return "every sidecar answers store_rolled_back"

    async def heal(self) -> None:
        """The store stays as it is; another one takes its place."""

    async def _swap(self, act: Callable[[int], None]) -> None:
        members = [self.etcd.member(index) for index in range(CLUSTER_SIZE)]
        for member in members:
            await self.etcd.does(member.kill)
        for index in range(CLUSTER_SIZE):
            await asyncio.to_thread(act, index)
        for member in members:
            await self.etcd.does(member.start)

    def _copy(self, index: int) -> None:
        data = self.etcd.member(index).data_dir
        shutil.copytree(data, self.scene.directory / f"copy-{index}")

    def _restore(self, index: int) -> None:
        data = self.etcd.member(index).data_dir
        shutil.rmtree(data)
        shutil.copytree(self.scene.directory / f"copy-{index}", data)
