"""`GatewayStore`: the `Store` port over etcd's HTTP/JSON gateway, by etcd3-py (ADR 0014)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from bps.core.capabilities import missing
from bps.core.errors import LeaseNotFound, NoSpace, OutcomeUnknown
from bps.core.ports import Capability, Lease, MemberStatus, Page, Read, Snapshot, WatchBatch
from bps.core.txn import KV, Committed, Conflict, Txn
from bps.store.arguments import check_page, check_reads, check_ttl
from bps.store.gateway import codec
from bps.store.gateway.calls import GatewayCalls
from bps.store.gateway.members import GatewayMember, GatewayMembers
from bps.store.prefixes import prefix_range
from bps.store.security import EtcdCredentials, EtcdTls

_RANGE = "/kv/range"
_TXN = "/kv/txn"
_COMPACT = "/kv/compaction"
_GRANT = "/lease/grant"
_KEEPALIVE = "/lease/keepalive"
_REVOKE = "/lease/revoke"
_STATUS = "/maintenance/status"


class GatewayStore:
    """A store where only etcd's HTTP/JSON gateway is reachable. Close it, or use `async with`.

    It cannot watch. Each call blocks one of 32 threads and costs a multiple of an `EtcdStore`'s.

    Args:
        endpoints: members as `host:port`, the preferred one first.
        tls: PEM files; None speaks plain text. Without `ca`, certifi's roots are trusted.
        credentials: sent when etcd asks for them.
        deadline_s: of each request; a write takes at most twice that (connect, then send).
        read_bound_s: of a read over all its attempts on different members.

    Raises:
        ConfigError: endpoints or TLS files that cannot be used.
        CapabilityMissing: `tls` names a `server_name`.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        tls: EtcdTls | None = None,
        credentials: EtcdCredentials | None = None,
        deadline_s: float = 2.0,
        read_bound_s: float = 5.0,
    ) -> None:
        self._calls = GatewayCalls(
            GatewayMembers(endpoints, tls),
            credentials,
            deadline_s=deadline_s,
            read_bound_s=read_bound_s,
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All but watches: those of the gateway lose events at a cut (ADR 0003)."""
        return frozenset({Capability.STATUS, Capability.COMPACT})

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
        """All `reads` at one revision; see `Store.snapshot`. One round trip.

        A full etcd before 3.5.7 refuses a serializable one: NoSpace.
        """
        check_reads(reads)
        request = codec.snapshot_request(reads, serializable=serializable)
        if serializable:
            return await self._calls.read_serializable(
                _TXN,
                request,
                codec.snapshot_answer,
                lambda found: found.revision,
                at_least=at_least,
            )
        try:
            return await self._calls.read(_TXN, request, codec.snapshot_answer)
        except NoSpace:
            # A full etcd before 3.5.7 refuses every transaction, and still answers ranges.
            return await self._snapshot_by_ranges(reads)

    async def _snapshot_by_ranges(self, reads: Sequence[Read]) -> Snapshot:
        """The same reads one by one, all at the revision of the first."""
        revision = 0
        answers: list[tuple[KV, ...]] = []
        for read in reads:
            asked = codec.read_request(read)
            if revision:
                asked["revision"] = str(revision)
            page = await self._calls.read(
                _RANGE, asked, partial(codec.page_answer, revision=revision)
            )
            revision = page.revision
            answers.append(page.kvs)
        return Snapshot(revision, tuple(answers))

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """Apply `txn` or say what its compared keys hold; see `Store.commit`. One round trip."""
        request, compared = codec.commit_request(txn)
        decode = partial(codec.commit_answer, compared=compared)
        return await self._calls.write(_TXN, request, decode, op="commit")

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
        request = codec.range_request(start, end, revision, limit=str(limit), keys_only=keys_only)
        if serializable:
            _, page = await self._calls.read_serializable(
                _RANGE,
                {**request, "serializable": True},
                lambda found: (codec.done(found), codec.page_answer(found, revision)),
                lambda found: found[0],
                at_least=at_least,
            )
            return page
        return await self._calls.read(
            _RANGE, request, partial(codec.page_answer, revision=revision)
        )

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """How many keys start with `prefix`. One round trip."""
        request = codec.range_request(*prefix_range(prefix), revision, count_only=True)
        return await self._calls.read(_RANGE, request, codec.count_answer)

    def watch(
        self,
        prefix: bytes,  # noqa: ARG002 - the port's
        *,
        start_revision: int,  # noqa: ARG002 - the port's
    ) -> AsyncGenerator[WatchBatch, None]:
        """Raises CapabilityMissing, always."""
        raise missing("GatewayStore", Capability.WATCH)

    async def lease_grant(self, ttl_s: int) -> Lease:
        """Grant a lease with an id of our own choice; see `Store.lease_grant`.

        Whoever gets OutcomeUnknown finds that id in its facts (`lease_id`) and may revoke it.
        """
        check_ttl(ttl_s)
        lease_id = secrets.randbelow(2**63 - 1) + 1
        request = {"ID": str(lease_id), "TTL": str(ttl_s)}
        try:
            return await self._calls.write(_GRANT, request, codec.lease_answer, op="lease_grant")
        except OutcomeUnknown as error:
            error.facts["lease_id"] = str(lease_id)
            raise

    async def lease_keepalive(self, lease_id: int) -> int:
        """Refresh a lease once; see `Store.lease_keepalive`.

        Sent again to another member if one does not answer: a second refresh only lengthens the
        lease, and its holder counts from before the first.
        """
        ttl_s = await self._calls.read(_KEEPALIVE, {"ID": str(lease_id)}, codec.keepalive_answer)
        if ttl_s <= 0:
            raise LeaseNotFound("The lease does not exist (any more).", lease_id=str(lease_id))
        return ttl_s

    async def lease_revoke(self, lease_id: int) -> None:
        """Revoke a lease and delete its keys; one that is gone already is no error."""
        try:
            await self._calls.write(_REVOKE, {"ID": str(lease_id)}, codec.done, op="lease_revoke")
        except LeaseNotFound:
            return

    async def status(self) -> tuple[MemberStatus, ...]:
        """Every member that answers within `deadline_s`.

        Raises AccessDenied if a member refuses, as `EtcdStore.status` does.
        """
        answers = await asyncio.gather(
            *(self._member_status(member) for member in self._calls.members.all)
        )
        return tuple(answer for answer in answers if answer is not None)

    async def _member_status(self, member: GatewayMember) -> MemberStatus | None:
        decode = partial(codec.status_answer, endpoint=member.endpoint)
        return await self._calls.of_member(member, _STATUS, decode)

    async def compact(self, revision: int) -> None:
        """Drop history before `revision`; see `Store.compact`."""
        request = {"revision": str(revision)}
        await self._calls.write(_COMPACT, request, codec.done, op="compact")

    async def close(self) -> None:
        """End every call; a write under way is OutcomeUnknown."""
        await self._calls.close()
