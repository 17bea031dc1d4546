"""etcd's maintenance calls, each to the member that is meant."""

from __future__ import annotations

from typing import Final

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.ports import Key, MemberStatus
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.calls import Calls
from bps.store.etcd.members import Member
from bps.store.etcd.methods import ALARM, COMPACT, DEFRAGMENT
from bps.store.etcd.store import EtcdStore

_COMPACT_S: Final = 60.0
_DEFRAGMENT_S: Final = 600.0
"""A file of 8 GiB takes minutes on a slow disk."""
_ALARM_S: Final = 5.0


class EtcdMaintenance:
    """Implements `Maintenance` on the connections of a store, which owns them."""

    def __init__(self, store: EtcdStore) -> None:
        self._store = store
        self._calls: Calls = store.calls

    async def members(self) -> tuple[MemberStatus, ...]:
        """See `Maintenance`."""
        return await self._store.status()

    async def readable(self) -> None:
        """See `Maintenance`."""
        await self._store.snapshot([Key(keys.SCHEMA, keys_only=True)])

    async def compact(self, revision: int) -> None:
        """See `Maintenance`."""
        request = pb.CompactionRequest(revision=revision, physical=True)
        await self._calls.write(COMPACT, request, op="compact", timeout_s=_COMPACT_S)

    async def defragment(self, endpoint: str) -> None:
        """See `Maintenance`."""
        member = self._member(endpoint)
        request = pb.DefragmentRequest()
        await self._calls.to_member(
            member, DEFRAGMENT, request, op="defragment", timeout_s=_DEFRAGMENT_S
        )

    async def disarm_no_space(self, member_id: int) -> None:
        """See `Maintenance`."""
        request = pb.AlarmRequest(
            action=pb.AlarmRequest.DEACTIVATE, member_id=member_id, alarm=pb.NOSPACE
        )
        await self._calls.write(ALARM, request, op="disarm", timeout_s=_ALARM_S)

    def _member(self, endpoint: str) -> Member:
        for member in self._calls.members.all:
            if member.endpoint == endpoint:
                return member
        raise NotFound(f"{endpoint} is none of the members that were named.", endpoint=endpoint)
