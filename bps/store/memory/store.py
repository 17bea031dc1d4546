"""`MemoryStore`: the model of the `Store` port, with etcd's semantics and no network.

One conformance suite runs on this and on etcd, and a random test compares all their answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from itertools import islice

from bps.core.errors import LeaseNotFound, StoreRefused, Unavailable
from bps.core.ports import (
    Capability,
    Clock,
    Key,
    Lease,
    MemberStatus,
    Page,
    Read,
    Snapshot,
    WatchBatch,
)
from bps.core.txn import KV, Committed, Compare, Condition, Conflict, Put, Target, Txn
from bps.store.arguments import check_page, check_reads, check_ttl, check_watch_start
from bps.store.memory.history import History
from bps.store.prefixes import prefix_range

_MIN_TTL_S = 2
"""etcd's with its default election timeout of 1 s."""


class MemoryStore:
    """A store in this process. Leases expire by `clock`, judged at each call.

    `applied` is the revision that serializable reads are answered at, as by a member that lags;
    None: the newest.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._history = History()
        self._leases: dict[int, _GrantedLease] = {}
        self._next_lease_id = 1
        self._changed = asyncio.Event()
        self._closed = False
        self.applied: int | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """All."""
        return frozenset(Capability)

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        """See `Store.snapshot`."""
        check_reads(reads)
        await self._turn()
        at = self._applied(at_least) if serializable else self._history.revision
        return Snapshot(at, tuple(self._read(read, at) for read in reads))

    def _applied(self, at_least: int) -> int:
        """The revision that serializable reads see. Raises Unavailable where it is behind."""
        at = self._history.revision if self.applied is None else self.applied
        if at < at_least:
            msg = f"The members that answer are behind: they have revision {at}, not {at_least}."
            raise Unavailable(msg, have=str(at), wanted=str(at_least))
        return at

    def _read(self, read: Read, at: int) -> tuple[KV, ...]:
        revision = 0 if at == self._history.revision else at
        if isinstance(read, Key):
            _check_key(read.key)
            if revision:
                found = next(self._history.range(read.key, read.key + b"\0", revision=at), None)
            else:
                found = self._history.latest(read.key)
            if found is None:
                return ()
            return (_without_value(found),) if read.keys_only else (found,)
        start, end = _bounds(*prefix_range(read.prefix))
        found_all = self._history.range(start, end, revision=revision, descending=read.descending)
        return tuple(islice(found_all, read.limit or None))

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """See `Store.commit`."""
        await self._turn()
        history = self._history
        for condition in txn.compares:
            _check_key(condition.key)
        for operation in txn.operations:
            _check_key(operation.key)
        if not all(_holds(condition, history.latest(condition.key)) for condition in txn.compares):
            present = {condition.key: history.latest(condition.key) for condition in txn.compares}
            return Conflict(history.revision, present)
        for operation in txn.operations:
            if isinstance(operation, Put) and operation.lease_id:
                self._lease(operation.lease_id)
        changes: list[KV | bytes] = []
        for operation in txn.operations:
            before = history.latest(operation.key)
            if isinstance(operation, Put):
                changes.append(KV(operation.key, operation.value, 0, 0, operation.lease_id))
                self._attach(operation.key, before, operation.lease_id)
            elif before is not None:
                changes.append(operation.key)
                self._attach(operation.key, before, 0)
        self._append(changes)
        return Committed(history.revision)

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
        r"""See `Store.page`; an `end` of b"\0" is open."""
        check_page(end, limit)
        await self._turn()
        _check_key(start)
        newest = self._applied(at_least) if serializable else self._history.revision
        found = self._history.range(*_bounds(start, end), revision=revision or newest)
        kvs = tuple(islice(found, limit))
        more = next(found, None) is not None
        if keys_only:
            kvs = tuple(map(_without_value, kvs))
        return Page(revision or newest, kvs, more)

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """See `Store.count`."""
        await self._turn()
        start, end = _bounds(*prefix_range(prefix))
        return sum(1 for _ in self._history.range(start, end, revision=revision))

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """See `Store.watch`. Ends when the store is closed."""
        check_watch_start(start_revision)
        return self._follow(prefix, start_revision)

    async def _follow(self, prefix: bytes, next_revision: int) -> AsyncGenerator[WatchBatch, None]:
        while not self._closed:
            changed = self._changed
            await self._turn()
            for batch in self._history.since(next_revision):
                next_revision = batch.revision + 1
                events = tuple(event for event in batch.events if event.kv.key.startswith(prefix))
                if events:
                    yield WatchBatch(batch.revision, events)
            if self._history.revision < next_revision:
                await changed.wait()

    async def lease_grant(self, ttl_s: int) -> Lease:
        """See `Store.lease_grant`; as with etcd, 2 s at least."""
        check_ttl(ttl_s)
        await self._turn()
        granted = _GrantedLease(max(ttl_s, _MIN_TTL_S), self._clock.monotonic_s())
        lease_id = self._next_lease_id
        self._next_lease_id += 1
        self._leases[lease_id] = granted
        return Lease(lease_id, granted.ttl_s)

    async def lease_keepalive(self, lease_id: int) -> int:
        """See `Store.lease_keepalive`."""
        await self._turn()
        lease = self._lease(lease_id)
        lease.renewed_s = self._clock.monotonic_s()
        return lease.ttl_s

    async def lease_revoke(self, lease_id: int) -> None:
        """See `Store.lease_revoke`."""
        await self._turn()
        if lease_id in self._leases:
            self._revoke(lease_id)

    async def status(self) -> tuple[MemberStatus, ...]:
        """One member that leads itself."""
        await self._turn()
        return (
            MemberStatus(
                endpoint="memory",
                version="memory",
                cluster_id=1,
                member_id=1,
                leader_id=1,
                raft_term=1,
                revision=self._history.revision,
                db_size_bytes=0,
                alarms=(),
                defects=(),
            ),
        )

    async def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        await self._turn()
        self._history.compact(revision)

    async def close(self) -> None:
        """End the watches."""
        self._closed = True
        self._wake()

    async def _turn(self) -> None:
        """Let other tasks run, as a network would, and expire leases."""
        await asyncio.sleep(0)
        now_s = self._clock.monotonic_s()
        for lease_id in [i for i, lease in self._leases.items() if lease.expires_s <= now_s]:
            self._revoke(lease_id)

    def _lease(self, lease_id: int) -> _GrantedLease:
        lease = self._leases.get(lease_id)
        if lease is None:
            raise LeaseNotFound("The lease does not exist (any more).", lease_id=str(lease_id))
        return lease

    def _attach(self, key: bytes, before: KV | None, lease_id: int) -> None:
        if before is not None and before.lease_id:
            self._leases[before.lease_id].keys.discard(key)
        if lease_id:
            self._leases[lease_id].keys.add(key)

    def _revoke(self, lease_id: int) -> None:
        self._append(sorted(self._leases.pop(lease_id).keys))

    def _append(self, changes: Sequence[KV | bytes]) -> None:
        self._history.append(changes)
        if changes:
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _GrantedLease:
    __slots__ = ("keys", "renewed_s", "ttl_s")

    def __init__(self, ttl_s: int, renewed_s: float) -> None:
        self.ttl_s = ttl_s
        self.renewed_s = renewed_s
        self.keys: set[bytes] = set()

    @property
    def expires_s(self) -> float:
        return self.renewed_s + self.ttl_s


def _without_value(kv: KV) -> KV:
    return replace(kv, value=b"")


def _holds(condition: Condition, found: KV | None) -> bool:
    if not isinstance(condition, Compare):
        return found is not None
    if found is None:
        return condition.value == 0
    if condition.target is Target.MOD_REVISION:
        return found.mod_revision == condition.value
    return found.create_revision == condition.value


def _check_key(key: bytes) -> None:
    if not key:
        raise StoreRefused("A key must not be empty.")


def _bounds(start: bytes, end: bytes) -> tuple[bytes, bytes | None]:
    return start, None if end == b"\0" else end
