"""A member is lost with its disk, and another takes its place."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tests.cluster import gateway
from tests.fault.cluster import until
from tests.fault.failpoints.base import Fault, FaultFailedError, Need, Part

_CONNECTED_S = 12.0


class MemberReplaced(Fault):
    """Killed, removed, added again under the same address with an empty data directory."""

    name = "etcd member replaced"
    part = Part.ETCD
    needs = frozenset({Need.OWN_CLUSTER})
    lasts_s = (0.5, 1.0)
    weight = 1

    async def inject(self) -> None:
        (self.victim, self.other) = await self.etcd.followers()
        member = self.etcd.member(self.victim)
        self.before = await self._id()
        await self.etcd.does(member.kill)
        await self._patiently("/v3/cluster/member/remove", {"ID": str(self.before)})
        await self._patiently("/v3/cluster/member/add", {"peerURLs": [member.peer_url]})
        await self.etcd.does(member.start_as_new)

    async def evidence(self) -> str:
        await self.etcd.healthy()
        now = await self._id()
        if now == self.before:
            raise FaultFailedError("the member is the same as before")
        return f"{self.etcd.member(self.victim).name} has the id {now:x} instead of {self.before:x}"

    async def heal(self) -> None:
        await self.etcd.healthy()

    async def _patiently(self, path: str, body: dict[str, Any]) -> None:
        """etcd changes its members only when the others have been connected for 5 s."""

        async def done() -> bool:
            with suppress(ConnectionError):
                await self.etcd.call(path, body, member=self.other)
                return True
            return False

        await until(done, f"etcd takes {path}", deadline_s=_CONNECTED_S)

    async def _id(self) -> int:
        found: list[int] = []

        async def answers() -> bool:
            status = gateway.status(self.etcd.endpoints[self.victim], 1.0)
            found.extend([] if status is None else [status.member_id])
            return bool(found)

        await until(answers, "the member answers", deadline_s=_CONNECTED_S)
        return found[-1]
