"""Reads that go on without a quorum, and say how old they may be (R13).

A read is linearizable where the store has a quorum; else one member answers it from what it has
applied, never at a revision before one that this sidecar served. No write is ever decided on it:
commands get the store itself.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import TypeVar

from bps.core.errors import NoSpace, QuorumLost, Unavailable
from bps.core.ports import Clock, Page, Read, Snapshot, Store
from bps.sidecar.feed import Feed

LINEARIZABLE_S = 0.5
"""How long a linearizable read may take before one member is asked instead."""
QUORUM_LOST = "quorum_lost"
NO_ANSWER = "no_answer"

Answer = TypeVar("Answer", Snapshot, Page)


class Consistency(StrEnum):
    """How an answer was read."""

    LINEARIZABLE = "linearizable"
    SERIALIZABLE = "serializable"
    CACHE = "cache"


class DegradedReads:
    """Makes a `Reading` for each request. `served` keeps answers of all of them from going back."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        clock: Clock,
        *,
        quorum_lost: Callable[[], bool] = lambda: False,
    ) -> None:
        self.store = store
        self._feed = feed
        self._clock = clock
        self._quorum_lost = quorum_lost
        self._served = 0
        feed.listen(lambda _batch: None, on_gap=self._forget)

    @property
    def quorum_lost(self) -> bool:
        """Whether it is known that no linearizable read can be had."""
        return self._quorum_lost()

    @property
    def floor(self) -> int:
        """The newest revision that this sidecar has shown to anybody."""
        return max(self._served, self._feed.revision)

    @property
    def age_ms(self) -> int:
        """How long ago, at the most, what the feed and the floor show was the newest state.

        A sidecar that has had no answer since its start knows no bound: the time since 1970.
        """
        complete_s = self._feed.complete_s
        if complete_s is None:
            return self._clock.now_ms()
        return math.ceil((self._clock.monotonic_s() - complete_s) * 1000)

    def served(self, revision: int) -> None:
        """A linearizable answer, or a write of this sidecar, was at `revision`."""
        self._served = max(self._served, revision)

    def reading(self, at_least: int = 0) -> Reading:
        """The reads of one request, whose caller has seen revision `at_least`."""
        return Reading(self, at_least)

    def _forget(self) -> None:
        """Where the store was rolled back, what was served before is no measure any more."""
        self._served = self._feed.revision


class Reading:
    """Implements `Reads` for one request; afterwards it says how the answer was read.

    Once a read of it was degraded, the others are too: a request waits for a quorum once.
    """

    def __init__(self, shared: DegradedReads, at_least: int) -> None:
        self._shared = shared
        self._at_least = at_least
        self.consistency = Consistency.LINEARIZABLE
        self.reason: str | None = QUORUM_LOST if shared.quorum_lost else None

    @property
    def at_least(self) -> int:
        """The revision that every answer has to have reached."""
        if self.reason is None:
            return self._at_least
        return max(self._at_least, self._shared.floor)

    @property
    def age_ms(self) -> int:
        """See `DegradedReads.age_ms`."""
        return self._shared.age_ms

    def from_cache(self, revision: int) -> bool:
        """Take an answer from memory, known to hold at `revision`; False where that is too old."""
        if revision < self.at_least:
            return False
        self._at_least = max(self._at_least, revision)
        self.consistency = Consistency.CACHE
        return True

    async def snapshot(self, reads: Sequence[Read]) -> Snapshot:
        """See `Store.snapshot`. One round trip, two where the quorum is lost just now.

        Raises:
            Unavailable: nobody answers, or who does is behind (facts: have, wanted).
        """
        store = self._shared.store
        return await self._read(
            lambda: store.snapshot(reads),
            lambda at_least: store.snapshot(reads, serializable=True, at_least=at_least),
        )

    async def page(
        self,
        start: bytes,
        end: bytes,
        *,
        limit: int,
        revision: int = 0,
        keys_only: bool = False,
    ) -> Page:
        """See `Store.page`. Costs and raises as `snapshot`."""
        store = self._shared.store
        return await self._read(
            lambda: store.page(start, end, limit=limit, revision=revision, keys_only=keys_only),
            lambda at_least: store.page(
                start,
                end,
                limit=limit,
                revision=revision,
                keys_only=keys_only,
                serializable=True,
                at_least=at_least,
            ),
        )

    async def _read(
        self,
        linearizable: Callable[[], Awaitable[Answer]],
        serializable: Callable[[int], Awaitable[Answer]],
    ) -> Answer:
        if self.reason is None:
            found = await self._with_quorum(linearizable)
            if found is not None:
                self._check(found.revision)
                self._shared.served(found.revision)
                return found
        found = await serializable(self.at_least)
        self._at_least = max(self._at_least, found.revision)
        self._shared.served(found.revision)
        if self.consistency is Consistency.LINEARIZABLE:
            self.consistency = Consistency.SERIALIZABLE
        return found

    async def _with_quorum(self, linearizable: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """None where there is no quorum, or nobody can tell in time; `reason` says so."""
        try:
            async with asyncio.timeout(LINEARIZABLE_S):
                return await linearizable()
        except NoSpace:
            raise
        except QuorumLost:
            self.reason = QUORUM_LOST
        except (Unavailable, TimeoutError):
            self.reason = QUORUM_LOST if self._shared.quorum_lost else NO_ANSWER
        return None

    def _check(self, revision: int) -> None:
        if revision < self._at_least:
            msg = f"The store is at revision {revision}, and you have seen {self._at_least}."
            raise Unavailable(msg, have=str(revision), wanted=str(self._at_least)).advising(
                "Try again in a moment; if the store was restored, begin without BPS-Min-Revision."
            )
        self._at_least = revision
