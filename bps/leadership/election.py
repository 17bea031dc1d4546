"""Election on one key bound to a lease, and the fence that its holder writes with (R12).

The key's create revision is the fence: once the key is gone it can never come back with the same
one, so a paused or partitioned former leader can never commit. Source: etcd
`client/v3/concurrency` (a lock hands out a compare for its holder's transactions).
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Self

from bps.core import keys
from bps.core.codec import Decimal, Record, TimeMs
from bps.core.errors import (
    Contended,
    FencedOut,
    LeaseLost,
    LeaseNotFound,
    MalformedRecord,
    NoSpace,
    NotLeader,
    OutcomeUnknown,
    StoreError,
    Unavailable,
)
from bps.core.ports import Clock, Key, Lease, Store
from bps.core.txn import KV, Committed, Conflict, Fence, Put, Txn, absent, unchanged
from bps.leadership.left_leases import LeftLeases
from bps.leadership.validity import LeaseValidity

OPS_LEASE_TTL_S = 25 * 3600
"""Op records are kept at least 24 h: they hang on a lease of 25 h that is renewed each hour."""
OPS_LEASE_ROTATION_MS = 3_600_000
_POLL_S = 0.2


class Holder(Record):
    """`leader/holder`: who leads, since when."""

    KIND: ClassVar[str] = "leader"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    sidecar: str
    since_ms: TimeMs


class OpsLease(Record):
    """`leader/ops-lease`: the lease that op records of the current hour hang on."""

    KIND: ClassVar[str] = "ops_lease"
    CARRIES_UNKNOWN: ClassVar[bool] = True

    lease_id: Decimal
    granted_ms: TimeMs


class Leadership:
    """One term of leadership, from `campaign` to `resign` or loss; never resumed after a loss.

    A `WriteAuthority`: hand it to the write path. Use as an async context manager.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sidecar: str,
        *,
        ttl_s: int = 5,
        left: LeftLeases | None = None,
    ) -> None:
        """`left` are the leases of this process's terms before, which still have to be revoked."""
        self._store = store
        self._left = LeftLeases() if left is None else left
        self._clock = clock
        self._sidecar = sidecar
        self._ttl_s = ttl_s
        self._fence: Fence | None = None
        self._validity: LeaseValidity | None = None
        self._lease: Lease | None = None
        self._ops_lease: tuple[int, int] | None = None
        self._keepalive: asyncio.Task[None] | None = None

    async def campaign(self, deadline_s: float) -> None:
        """Become leader, waiting up to `deadline_s` seconds for the present one to go.

        Cost, uncontended: a lease grant and one transaction; one more for each lease that is left.

        Raises:
            NotLeader: another process still leads; the message names it.
            NoSpace: etcd is full and grants no leases.
            Unavailable: the store does not answer.
        """
        if self._lease is not None:
            msg = "a term of leadership cannot be taken up twice"
            raise ValueError(msg)
        # A new quorum renews all leases: the key of a term before would block us for a whole TTL.
        await self._left.revoke(self._store)
        give_up_s = self._clock.monotonic_s() + deadline_s
        while True:
            try:
                held = await self._try_once()
                if held is not None and self._clock.monotonic_s() < give_up_s:
                    await self._until_free(give_up_s)
                    continue
            except StoreError:
                await self._give_up_lease()
                self._lease = None
                raise
            if held is None:
                self._keepalive = asyncio.create_task(self._keep_alive())
                return
            await self.resign()
            holder = Holder.decode(held.value, key=held.key).sidecar
            raise NotLeader(f"{holder} leads.", leader=holder)

    def fence(self) -> Fence:
        """The compare for the next write transaction.

        Raises:
            NotLeader: never campaigned, or resigned.
            LeaseLost: the lease may have expired, judged from before the last keepalive was sent.
        """
        if self._fence is None or self._validity is None:
            raise NotLeader("This process does not lead.")
        if not self._validity.holds(self._clock.monotonic_s()):
            raise LeaseLost("The leader's lease may have expired; nothing was written.")
        return self._fence

    async def ops_lease_id(self, *, renew: bool = False) -> int:
        """The lease for op records; shared by all leaders of the hour, kept in the store.

        Cost: none within the hour; a read, a grant and a transaction at its turn.

        Raises:
            Unavailable: it could not be had now; nothing else was written.
        """
        now_ms = self._clock.now_ms()
        if self._ops_lease is not None and not renew:
            lease_id, granted_ms = self._ops_lease
            if abs(now_ms - granted_ms) < OPS_LEASE_ROTATION_MS:
                return lease_id
        try:
            self._ops_lease = await self._agree_on_ops_lease(now_ms, renew=renew)
        except OutcomeUnknown as error:
            raise Unavailable("No lease for operation records could be had now.") from error
        return self._ops_lease[0]

    async def resign(self) -> None:
        """Give the leadership up; others can campaign at once. Never raises store errors."""
        keepalive, self._keepalive = self._keepalive, None
        self._fence = self._validity = None
        if keepalive is not None:
            keepalive.cancel()
            # `wait` ends by the cancellation of its caller too, unlike a suppressed `await`.
            await asyncio.wait([keepalive])
            if not keepalive.cancelled():
                keepalive.result()
        await self._give_up_lease()

    async def _give_up_lease(self) -> None:
        """Let others campaign at once; where the store does not answer, they wait for the TTL."""
        if self._lease is not None:
            await self._left.give_up(self._store, self._lease.lease_id)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.resign()

    async def _try_once(self) -> KV | None:
        """One attempt: None where this process leads now, else the present holder's record."""
        if self._lease is None or self._refresh_in_s() <= 0:
            asked_s = self._clock.monotonic_s()
            self._lease = await self._store.lease_grant(self._ttl_s)
            self._validity = LeaseValidity(asked_s, self._lease.ttl_s)
        holder = Holder(sidecar=self._sidecar, since_ms=self._clock.now_ms())
        try:
            answer = await self._store.commit(
                Txn(
                    (absent(keys.LEADER_HOLDER),),
                    (Put(keys.LEADER_HOLDER, holder.encode(), self._lease.lease_id),),
                )
            )
        except LeaseNotFound:
            self._lease = None
            return await self._try_once()
        except NoSpace:
            # Said also of the write that passes the quota, which etcd has applied.
            held = await self._holder()
            if held is None or held.lease_id != self._lease.lease_id:
                raise
            self._fence = Fence(keys.LEADER_HOLDER, held.create_revision)
            return None
        except OutcomeUnknown as error:
            raise Unavailable("The election got no answer.") from error
        if isinstance(answer, Committed):
            self._fence = Fence(keys.LEADER_HOLDER, answer.revision)
            return None
        held = answer.present[keys.LEADER_HOLDER]
        if held is None:
            raise Contended("The leader key changed while it was read.")
        return held

    async def _until_free(self, give_up_s: float) -> None:
        """Wait until nobody leads, or until `give_up_s`; reads cost the cluster no Raft entry."""
        while self._clock.monotonic_s() < give_up_s:
            await self._clock.sleep(_POLL_S)
            if await self._holder() is None:
                return

    async def _holder(self) -> KV | None:
        found = (await self._store.snapshot([Key(keys.LEADER_HOLDER)])).answers[0]
        return found[0] if found else None

    def _refresh_in_s(self) -> float:
        """Until a third of the lease's time has passed since it was last refreshed."""
        if self._validity is None:
            return 0.0
        refresh_s = self._validity.sent_s + self._validity.ttl_s / 3
        return refresh_s - self._clock.monotonic_s()

    def _holds_lease(self) -> bool:
        return self._validity is not None and self._validity.holds(self._clock.monotonic_s())

    async def _keep_alive(self) -> None:
        """Refresh the lease each third of its time until it is lost; `fence` tells the rest."""
        while self._lease is not None and self._validity is not None:
            await self._clock.sleep(max(self._refresh_in_s(), _POLL_S))
            sent_s = self._clock.monotonic_s()
            try:
                ttl_s = await self._store.lease_keepalive(self._lease.lease_id)
            except LeaseNotFound:
                self._validity = LeaseValidity(sent_s, 0)
                return
            except StoreError:
                ttl_s = None
            # An answer that comes after the validity ended is too late: a loss is never resumed.
            if not self._holds_lease():
                await self._give_up_lease()
                return
            if ttl_s is not None:
                self._validity = self._validity.renewed(sent_s, ttl_s)

    async def _agree_on_ops_lease(self, now_ms: int, *, renew: bool) -> tuple[int, int]:
        while True:
            found = (await self._store.snapshot([Key(keys.OPS_LEASE)])).answers[0]
            before = found[0] if found else None
            known = _ops_lease(before)
            if known is not None and not renew and _is_of_this_hour(known, now_ms):
                return known.lease_id, known.granted_ms
            lease = await self._store.lease_grant(OPS_LEASE_TTL_S)
            record = OpsLease(lease_id=lease.lease_id, granted_ms=now_ms)
            fence = self.fence()
            txn = Txn(
                (fence.compare, unchanged(keys.OPS_LEASE, before.mod_revision if before else 0)),
                (Put(keys.OPS_LEASE, record.encode(), lease.lease_id),),
            )
            try:
                answer = await self._store.commit(txn)
            except NoSpace:
                found = (await self._store.snapshot([Key(keys.OPS_LEASE)])).answers[0]
                if found and found[0].lease_id == lease.lease_id:
                    return lease.lease_id, now_ms
                raise
            if isinstance(answer, Committed):
                return lease.lease_id, now_ms
            self._check_fence(answer, fence)
            renew = False

    @staticmethod
    def _check_fence(conflict: Conflict, fence: Fence) -> None:
        held = conflict.present[fence.key]
        if held is None or held.create_revision != fence.create_revision:
            raise FencedOut("Another process leads now; nothing was written.")


def _ops_lease(stored: KV | None) -> OpsLease | None:
    """The hour's lease; a damaged record is replaced like an old one, as any lease will do."""
    try:
        return OpsLease.decode(stored.value) if stored else None
    except MalformedRecord:
        return None


def _is_of_this_hour(known: OpsLease, now_ms: int) -> bool:
    return 0 < known.lease_id < 2**63 and abs(now_ms - known.granted_ms) < OPS_LEASE_ROTATION_MS
