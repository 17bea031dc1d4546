"""The leader's lease is revoked early, as by an operator or a confused etcd leader."""

from __future__ import annotations

from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, FaultFailedError, Part


class LeaseRevoked(Fault):
    """The sidecar believes in its lease when it is gone already."""

    name = "leader's lease revoked early"
    part = Part.ETCD
    lasts_s = (0.5, 1.5)
    weight = 3

    async def inject(self) -> None:
        await self.scene.leading()
        self.before = await self.etcd.holding()
        if self.before is None:
            raise FaultFailedError("nobody leads")
        await self.etcd.call("/v3/lease/revoke", {"ID": str(self.before.lease_id)})

    async def evidence(self) -> str:
        async def gone() -> bool:
            return await self.etcd.holding() != self.before

        await until(gone, "the leader's key is gone", deadline_s=3.0)
        return f"the key of fence {self.before and self.before.create_revision} is gone"

    async def heal(self) -> None:
        """Nothing is left of it."""
