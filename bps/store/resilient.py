"""Reads that go easy on a store in trouble: few at once, and none while it is known to be dead.

For read routes only. Writes, leases and watches pass as they are: no mutation is sent twice. The
adapter inside goes on to other members, backing off (`bps.store.rotation`); this bounds how many
callers do so side by side, and lets all that wait fail as soon as one knows.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from bps.core.errors import BpsError, Unavailable
from bps.core.ports import (
    Capability,
    Clock,
    Lease,
    MemberStatus,
    Page,
    Read,
    Snapshot,
    Store,
    WatchBatch,
)
from bps.core.txn import Committed, Conflict, Txn
from bps.store.breaker import Breaker, State

T = TypeVar("T")

READS_AT_ONCE = 64
WAIT_S = 5.0
"""As long as a read may take over all members."""


class ResilientStore:
    """Implements `Store` by another one, with its reads behind a breaker and a bound.

    A read raises Unavailable at once while the breaker is open; facts: retry_after_s.
    """

    def __init__(
        self, inner: Store, clock: Clock, *, at_once: int = READS_AT_ONCE, wait_s: float = WAIT_S
    ) -> None:
        self._inner = inner
        self._clock = clock
        self._slots = asyncio.Semaphore(at_once)
        self._wait_s = wait_s
        self._breaker = Breaker()
        self._why = ""

    @property
    def state(self) -> State:
        """Whether reads pass."""
        return self._breaker.state

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        """See `Store`. A serializable read passes an open breaker: any one member can answer it."""
        return await self._ask(
            lambda: self._inner.snapshot(reads, serializable=serializable, at_least=at_least),
            breaks=not serializable,
        )

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
        """See `Store`, and `snapshot`."""
        return await self._ask(
            lambda: self._inner.page(
                start,
                end,
                limit=limit,
                revision=revision,
                keys_only=keys_only,
                serializable=serializable,
                at_least=at_least,
            ),
            breaks=not serializable,
        )

    async def count(self, prefix: bytes, *, revision: int = 0) -> int:
        """See `Store`."""
        return await self._ask(lambda: self._inner.count(prefix, revision=revision))

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Those of the store inside."""
        return self._inner.capabilities

    async def commit(self, txn: Txn) -> Committed | Conflict:
        """See `Store`; sent once."""
        return await self._inner.commit(txn)

    def watch(self, prefix: bytes, *, start_revision: int) -> AsyncGenerator[WatchBatch, None]:
        """See `Store`."""
        return self._inner.watch(prefix, start_revision=start_revision)

    async def lease_grant(self, ttl_s: int) -> Lease:
        """See `Store`; sent once."""
        return await self._inner.lease_grant(ttl_s)

    async def lease_keepalive(self, lease_id: int) -> int:
        """See `Store`."""
        return await self._inner.lease_keepalive(lease_id)

    async def lease_revoke(self, lease_id: int) -> None:
        """See `Store`; sent once."""
        await self._inner.lease_revoke(lease_id)

    async def status(self) -> tuple[MemberStatus, ...]:
        """See `Store`."""
        return await self._inner.status()

    async def compact(self, revision: int) -> None:
        """See `Store`; sent once."""
        await self._inner.compact(revision)

    async def close(self) -> None:
        """See `Store`."""
        await self._inner.close()

    async def _ask(self, read: Callable[[], Awaitable[T]], *, breaks: bool = True) -> T:
        if breaks and self._breaker.state is State.OPEN and self._now_s < self._breaker.until_s:
            raise self._refusal()
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Too many reads wait for the store.") from None
        try:
            return await (self._ask_once(read) if breaks else read())
        finally:
            self._slots.release()

    async def _ask_once(self, read: Callable[[], Awaitable[T]]) -> T:
        asked = self._breaker.asked(self._now_s)
        if asked is None:
            raise self._refusal()
        self._breaker = asked
        try:
            answer = await read()
        except Unavailable as error:
            self._why = error.message
            self._breaker = self._breaker.failed(self._now_s, random.random())  # noqa: S311
            raise
        except BpsError:
            self._breaker = self._breaker.answered()
            raise
        except BaseException:
            self._breaker = self._breaker.gave_up(self._now_s)
            raise
        self._breaker = self._breaker.answered()
        return answer

    @property
    def _now_s(self) -> float:
        return self._clock.monotonic_s()

    def _refusal(self) -> Unavailable:
        after_s = max(math.ceil(self._breaker.until_s - self._now_s), 1)
        msg = f"The store did not answer lately, and is left alone for a moment. {self._why}"
        return Unavailable(msg.rstrip(), retry_after_s=after_s)
