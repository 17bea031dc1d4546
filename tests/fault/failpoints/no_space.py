"""The store is full: etcd raises NOSPACE, and refuses writes until an operator makes room."""

from __future__ import annotations

import base64

from tests.cluster import CLUSTER_SIZE
from tests.fault.cluster import QUOTA_BYTES, encoded
from tests.fault.failpoints.base import Fault, FaultFailedError, Need, Part

_JUNK = b"/junk/"
_VALUE_BYTES = 1_400_000


class NoSpace(Fault):
    """Filled by another user of the same etcd; deleted, compacted, defragmented, disarmed."""

    name = "etcd's quota used up"
    part = Part.ETCD
    needs = frozenset({Need.OWN_CLUSTER})
    lasts_s = (1.0, 2.5)
    weight = 1

    async def inject(self) -> None:
        leader = await self.etcd.leader()
        value = base64.b64encode(self.source.randbytes(_VALUE_BYTES)).decode()
        for number in range(QUOTA_BYTES // _VALUE_BYTES + 2):
            put = {"key": encoded(_JUNK + b"%d" % number), "value": value}
            try:
                await self.etcd.call("/v3/kv/put", put, member=leader)
            except ConnectionError:
                return
        raise FaultFailedError("the quota does not hold")

    async def evidence(self) -> str:
        raised = await self.etcd.alarms()
        if not any(alarm.get("alarm") == "NOSPACE" for alarm in raised):
            raise FaultFailedError("no NOSPACE alarm was raised")
        return f"NOSPACE raised by {len(raised)} member{'s' if len(raised) > 1 else ''}"

    async def heal(self) -> None:
        end = encoded(_JUNK[:-1] + b"0")
        await self.etcd.call("/v3/kv/deleterange", {"key": encoded(_JUNK), "range_end": end})
        revision = await self.etcd.revision()
        await self.etcd.call("/v3/kv/compaction", {"revision": str(revision), "physical": True})
        for index in range(CLUSTER_SIZE):
            await self.etcd.call("/v3/maintenance/defragment", {}, member=index)
        for alarm in await self.etcd.alarms():
            await self.etcd.call("/v3/maintenance/alarm", {**alarm, "action": "DEACTIVATE"})
