"""A store that tells how each request to it ended and how long it took; for the service only."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from bps.core import errors
from bps.core.ports import Capability, Lease, MemberStatus, Page, Read, Snapshot, Store, WatchBatch
from bps.core.txn import Committed, Conflict, Txn

T = TypeVar("T")

OUTCOMES = ("ok", "conflict", "unavailable", "unknown", "no_space", "refused", "interrupted")
"""How a request ends: the values of the label `outcome`."""

Observer = Callable[[str, str, float], None]
"""Gets the operation's name, one of `OUTCOMES`, and seconds; must neither block nor raise."""


class MeasuredStore:
    """Implements `Store` by another one. Watches are not measured: they last.

    An `Observer` is called in the caller's context.
    """

    def __init__(self, inner: Store, observe: Observer) -> None:
        self._inner = inner
        self._observe = observe

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those of the store inside."""
        return self._inner.capabilities

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        """See `Store`."""
        asked = self._inner.snapshot(reads, serializable=serializable, at_least=at_least)
        return await self._measure("snapshot", asked)

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """See `Store`. A conflict is an outcome of its own."""
        return await self._measure("commit", self._inner.commit(txn))

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
        """See `Store`."""
        asked = self._inner.page(
            start,
            end,
            limit=limit,
            revision=revision,
            keys_only=keys_only,
            serializable=serializable,
            at_least=at_least,
        )
        return await self._measure("page", asked)

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """See `Store`."""
        return await self._measure("count", self._inner.count(prefix, revision=revision))

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """See `Store`."""
        return self._inner.watch(prefix, start_revision=start_revision)

    async def lease_grant(self, ttl_s: int) -> Lease:
        """See `Store`."""
        return await self._measure("lease_grant", self._inner.lease_grant(ttl_s))

    async def lease_keepalive(self, lease_id: int) -> int:
        """See `Store`."""
        return await self._measure("lease_keepalive", self._inner.lease_keepalive(lease_id))

    async def lease_revoke(self, lease_id: int) -> None:
        """See `Store`."""
        await self._measure("lease_revoke", self._inner.lease_revoke(lease_id))

    async def status(self) -> tuple[MemberStatus, ...]:
        """See `Store`."""
        return await self._measure("status", self._inner.status())

    async def compact(self, revision: int) -> None:
        """See `Store`."""
        await self._measure("compact", self._inner.compact(revision))

    async def close(self) -> None:
        """See `Store`."""
        await self._inner.close()

    async def _measure(self, operation: str, request: Awaitable[T]) -> T:
        begun_s = time.perf_counter()
        outcome = "interrupted"
        try:
            answer = await request
            outcome = "conflict" if isinstance(answer, Conflict) else "ok"
        except errors.BpsError as error:
            outcome = _outcome_of(error)
            raise
        finally:
            self._observe(operation, outcome, time.perf_counter() - begun_s)
        return answer


def _outcome_of(error: errors.BpsError) -> str:
    if isinstance(error, errors.OutcomeUnknown):
        return "unknown"
    if isinstance(error, errors.NoSpace):
        return "no_space"
    return "unavailable" if isinstance(error, errors.Unavailable) else "refused"
