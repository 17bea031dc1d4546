"""History is compacted away under a watch that is behind."""

from __future__ import annotations

from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, FaultFailedError, Part

_REVISIONS = 20


class CompactedUnderWatch(Fault):
    """A standby that was cut off finds that what it has to resume from is gone."""

    name = "compaction under a watcher"
    part = Part.SIDECAR
    lasts_s = (1.0, 2.5)

    async def inject(self) -> None:
        standby = await self.scene.other_than(await self.scene.leading())
        self.proxy = standby.proxy
        self.behind = await self.etcd.revision()
        self.proxy.stalled = True

    async def evidence(self) -> str:
        async def far_behind() -> bool:
            return await self.etcd.revision() > self.behind + _REVISIONS

        await until(far_behind, "the watcher is far behind", deadline_s=8.0)
        revision = await self.etcd.revision()
        await self.etcd.call("/v3/kv/compaction", {"revision": str(revision)})
        try:
            old = {"key": "AA==", "revision": str(self.behind)}
            await self.etcd.call("/v3/kv/range", old, member=await self.etcd.leader())
        except ConnectionError:
            return f"compacted to {revision}, the watcher was at {self.behind}"
        raise FaultFailedError(f"revision {self.behind} can still be read")

    async def heal(self) -> None:
        # A new connection has to resume; an old one would get what is on its way.
        self.proxy.reset()
        self.proxy.calm()
