"""`EtcdStore`: the `Store` port over our own thin grpc.aio client (ADR 0003)."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Self, TypeVar

from bps.core.errors import LeaseNotFound, NoSpace, OutcomeUnknown
from bps.core.ports import Capability, Lease, MemberStatus, Page, Read, Snapshot, WatchBatch
from bps.core.txn import Committed, Conflict, Txn
from bps.store.alarms import alarms_of
from bps.store.arguments import check_page, check_reads, check_ttl, check_watch_start
from bps.store.etcd import codec
from bps.store.etcd._proto import bps_etcd_pb2 as pb
from bps.store.etcd.calls import Calls
from bps.store.etcd.members import Member, Members
from bps.store.etcd.methods import (
    COMPACT,
    GRANT,
    KEEPALIVE,
    RANGE,
    REVOKE,
    STATUS,
    TXN,
    Method,
    RequestT,
)
from bps.store.etcd.watch import Watch
from bps.store.prefixes import prefix_range
from bps.store.security import EtcdCredentials, EtcdTls
from bps.store.versions import defects_of

Answered = TypeVar("Answered", pb.RangeResponse, pb.TxnResponse)


class EtcdStore:
    """A store on an etcd cluster. Connects on first use; close it, or use `async with`.

    Args:
        endpoints: members as `host:port`, the preferred one first.
        tls: PEM files; None speaks plain text.
        credentials: sent when etcd asks for them.
        deadline_s: of each request; a write takes at most twice that (connect, then send).
        read_bound_s: of a read over all its attempts on different members.
        refused_s: as long as no member was ever connected, so long all may refuse to be, before
            that is told; else a request's own time counts.

    Raises:
        ConfigError: endpoints or TLS files that cannot be used.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        tls: EtcdTls | None = None,
        credentials: EtcdCredentials | None = None,
        deadline_s: float = 2.0,
        read_bound_s: float = 5.0,
        refused_s: float = math.inf,
    ) -> None:
        self._calls = Calls(
            Members(endpoints, tls, refused_s),
            credentials,
            deadline_s=deadline_s,
            read_bound_s=read_bound_s,
        )

    @property
    def calls(self) -> Calls:
        """The connections, for `EtcdMaintenance`."""
        return self._calls

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All."""
        return frozenset(Capability)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        """All `reads` at one revision; see `Store.snapshot`. One round trip."""
        check_reads(reads)
        request = codec.snapshot_request(reads, serializable=serializable)
        try:
            return codec.snapshot_answer(await self._read(TXN, request, serializable, at_least))
        except NoSpace:
            # A full etcd before 3.5.7 refuses every transaction, and still answers ranges.
            return await self._snapshot_by_ranges(request, serializable, at_least)

    async def _read(
        self,
        method: Method[RequestT, Answered],
        request: RequestT,
        serializable: bool,  # noqa: FBT001 - handed on
        at_least: int,
    ) -> Answered:
        if not serializable:
            return await self._calls.read(method, request)
        return await self._calls.read_serializable(
            method, request, lambda answer: answer.header.revision, at_least=at_least
        )

    async def _snapshot_by_ranges(
        self,
        snapshot: pb.TxnRequest,
        serializable: bool,  # noqa: FBT001 - handed on
        at_least: int,
    ) -> Snapshot:
        """The same reads one by one, all at the revision of the first."""
        revision, answers = 0, []
        for read in snapshot.success:
            read.request_range.revision = revision
            answer = await self._read(
                RANGE, read.request_range, serializable, max(at_least, revision)
            )
            revision = revision or answer.header.revision
            answers.append(codec.kvs(answer.kvs))
        return Snapshot(revision, tuple(answers))

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """Apply `txn` or say what its compared keys hold; see `Store.commit`. One round trip."""
        request, compared = codec.commit_request(txn)
        return codec.commit_answer(await self._calls.write(TXN, request, op="commit"), compared)

    async def page(
        self,
        start: bytes,
        end: bytes,
        *,
        limit: int,
        revision: int = 0,
        keys_only: bool = False,
        serializable: bool = False,
        at_least: int = 0,
    ) -> Page:
        r"""Up to `limit` keys of [start, end); an `end` of b"\0" is open. One round trip."""
        check_page(end, limit)
        request = pb.RangeRequest(
            key=start,
            range_end=end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
        )
        answer = await self._read(RANGE, request, serializable, at_least)
        return Page(revision or answer.header.revision, codec.kvs(answer.kvs), answer.more)

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """How many keys start with `prefix`. One round trip."""
        key, range_end = prefix_range(prefix)
        request = pb.RangeRequest(key=key, range_end=range_end, revision=revision, count_only=True)
        return (await self._calls.read(RANGE, request)).count

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """Changes below `prefix`; see `Store.watch`. Ends when the store is closed."""
        check_watch_start(start_revision)
        return Watch(self._calls, prefix, start_revision).batches()

    async def lease_grant(self, ttl_s: int) -> Lease:
        """Grant a lease with an id of our own choice; see `Store.lease_grant`.

        Whoever gets OutcomeUnknown finds that id in its facts (`lease_id`) and may revoke it; left
        alone, a lease without keys costs nothing and expires.
        """
        check_ttl(ttl_s)
        lease_id = secrets.randbelow(2**63 - 1) + 1
        try:
            answer = await self._calls.write(
                GRANT, pb.LeaseGrantRequest(ttl=ttl_s, id=lease_id), op="lease_grant"
            )
        except OutcomeUnknown as error:
            error.facts["lease_id"] = str(lease_id)
            raise
        return Lease(answer.id, answer.ttl)

    async def lease_keepalive(self, lease_id: int) -> int:
        """Refresh a lease once; see `Store.lease_keepalive`.

        Sent again to another member if one does not answer: a second refresh only lengthens the
        lease, and its holder counts from before the first.
        """
        answer = await self._calls.read(KEEPALIVE, pb.LeaseKeepAliveRequest(id=lease_id))
        if answer.ttl <= 0:
            raise LeaseNotFound("The lease does not exist (any more).", lease_id=str(lease_id))
        return answer.ttl

    async def lease_revoke(self, lease_id: int) -> None:
        """Revoke a lease and delete its keys; one that is gone already is no error."""
        try:
            await self._calls.write(REVOKE, pb.LeaseRevokeRequest(id=lease_id), op="lease_revoke")
        except LeaseNotFound:
            return

    async def status(self) -> tuple[MemberStatus, ...]:
        """Every member that answers within `deadline_s`.

        Raises AccessDenied if a member refuses: with authentication enabled, newer servers (3.5.30)
        answer this to users with the role `root` only.

        Alarms come with the status: asking for them by etcd's Alarm call is a Raft write, which
        needs a quorum and, before 3.5.5, could keep a member from starting again.
        """
        answers = await asyncio.gather(
            *(self._member_status(member) for member in self._calls.members.all)
        )
        return tuple(answer for answer in answers if answer is not None)

    async def _member_status(self, member: Member) -> MemberStatus | None:
        answer = await self._calls.of_member(member, STATUS, pb.StatusRequest())
        if answer is None:
            return None
        return MemberStatus(
            endpoint=member.endpoint,
            version=answer.version,
            cluster_id=answer.header.cluster_id,
            member_id=answer.header.member_id,
            leader_id=answer.leader,
            raft_term=answer.raft_term,
            revision=answer.header.revision,
            db_size_bytes=answer.db_size,
            in_use_bytes=answer.db_size_in_use,
            quota_bytes=answer.db_size_quota,
            alarms=alarms_of(answer.errors),
            defects=defects_of(answer.version),
        )

    async def compact(self, revision: int) -> None:
        """Drop history before `revision`; see `Store.compact`."""
        await self._calls.write(COMPACT, pb.CompactionRequest(revision=revision), op="compact")

    async def close(self) -> None:
        """Close every connection; watches end, a write under way is OutcomeUnknown."""
        await self._calls.members.close()
