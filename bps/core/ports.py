"""What the pure parts need from the outside. Adapters implement these; `bootstrap` picks them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bps.core.txn import KV, Committed, Conflict, Txn


@dataclass(frozen=True, slots=True)
class Key:
    """Read exactly one key; with `keys_only` its value is left out (empty)."""

    key: bytes
    keys_only: bool = False


@dataclass(frozen=True, slots=True)
class Prefix:
    """Read the keys that start with `prefix`, ascending, or `descending` (the last first).

    `limit` 0 means all; use it only where the design bounds the number.
    """

    prefix: bytes
    limit: int = 0
    descending: bool = False


Read = Key | Prefix


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answers to several reads at ONE revision, in the order of the reads."""

    revision: int
    answers: tuple[tuple[KV, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a range; `more` says whether keys follow the last one."""

    revision: int
    kvs: tuple[KV, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change. `kv.value` is empty for a deletion; `kv.mod_revision` is the change's own."""

    kv: KV
    deleted: bool


@dataclass(frozen=True, slots=True)
class WatchBatch:
    """All changes of one revision (never split); no events: a progress mark at `revision`."""

    revision: int
    events: tuple[WatchEvent, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """A granted lease. `ttl_s` is what the store granted, which may exceed what was asked."""

    lease_id: int
    ttl_s: int


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """One member as it sees itself. `leader_id` 0 means that it knows no leader.

    `in_use_bytes` is what a defragmentation would leave of `db_size_bytes` (0: not told);
    `quota_bytes` is 0 where the member does not tell it (etcd before 3.6).
    """

    endpoint: str
    version: str
    cluster_id: int
    member_id: int
    leader_id: int
    raft_term: int
    revision: int
    db_size_bytes: int
    alarms: tuple[str, ...]
    defects: tuple[str, ...]
    in_use_bytes: int = 0
    quota_bytes: int = 0


class Capability(Enum):
    """What an adapter may be unable to do. Key-value calls and leases are no capability: all do."""

    WATCH = "watch"
    STATUS = "status"
    COMPACT = "compact"


class Reads(Protocol):
    """What reading for the edges needs of a store; nothing that writes is decided on it."""

    async def snapshot(self, reads: Sequence[Read]) -> Snapshot:
        """See `Store.snapshot`."""
        ...

    async def page(
        self,
        start: bytes,
        end: bytes,
        *,
        limit: int,
        revision: int = 0,
        keys_only: bool = False,
    ) -> Page:
        """See `Store.page`."""
        ...


class Store(Protocol):
    """A linearizable multi-version key-value store with leases: etcd's model (design, "etcd").

    Every call has a deadline of its own. Reads may be retried on another member by the adapter;
    writes never are: an unanswered write raises `OutcomeUnknown`. A method whose
    capability is not declared raises `CapabilityMissing` at once.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this adapter can do; `bps.core.capabilities.require` checks it at start."""
        ...

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        """Read all of `reads` (at most 128) at one linearizable revision. One round trip.

        `serializable` is answered by one member from what it has applied, without a quorum, and may
        be older than what others answered; a member that has not reached revision `at_least` is
        passed over. Never decide a write on it.

        Raises:
            Unavailable: no member answered (QuorumLost where one did, without a leader), or all
                that did are behind `at_least` (facts: have).
        """
        ...

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """Apply `txn` atomically, or answer with what its compared keys hold. One round trip.

        Raises:
            Unavailable: the transaction was certainly not applied.
            OutcomeUnknown: it may have been applied, or may be later.
            LeaseNotFound: a put names a lease that is gone; nothing was applied.
            NoSpace: etcd's quota is used up; applied if it was this write that passed the quota,
                else not, and in either case decided: a linearizable read tells which.
        """
        ...

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
        """Read up to `limit` keys of [start, end), ascending, at `revision` (0: the newest).

        `serializable` and `at_least` are as in `snapshot`.

        Raises:
            Compacted: `revision` is gone.
            Unavailable: no member answered.
        """
        ...

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """How many keys start with `prefix`. One round trip."""
        ...

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """All changes below `prefix` from `start_revision` on, each exactly once, in order.

        Survives lost connections by resuming after the last delivered revision. Ends when the
        store is closed; close it (`contextlib.aclosing`) when you stop before that.

        Raises:
            Compacted: the next revision is gone; list again.
        """
        ...

    async def lease_grant(self, ttl_s: int) -> Lease:
        """Grant a new lease. Raises OutcomeUnknown, Unavailable, NoSpace."""
        ...

    async def lease_keepalive(self, lease_id: int) -> int:
        """Refresh a lease once; the new TTL in seconds. Raises LeaseNotFound, Unavailable."""
        ...

    async def lease_revoke(self, lease_id: int) -> None:
        """Revoke a lease and delete its keys; a lease that is gone already is not an error."""
        ...

    async def status(self) -> tuple[MemberStatus, ...]:
        """Every configured member that answers; a silent one is left out."""
        ...

    async def compact(self, revision: int) -> None:
        """Drop history before `revision`. Raises Compacted if that happened already."""
        ...

    async def close(self) -> None:
        """Release connections; further calls are errors of the caller."""
        ...


class Clock(Protocol):
    """Time as the shells see it; decisions get instants as arguments."""

    def now_ms(self) -> int:
        """Wall clock: milliseconds since the epoch, UTC."""
        ...

    def monotonic_s(self) -> float:
        """A clock that never goes back, for deadlines and leases, in seconds."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Suspend the caller for `delay_s` of this clock."""
        ...
