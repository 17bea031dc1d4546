"""What waits: succeeded RR-plans for a promotion, open reviews for a person; since when (R16).

The feed tells of each change. What waited before this sidecar followed is looked for once, in the
background, after the metric was first asked for: at most 50 plans a second, about four round trips
each, so that the cost is bounded in time, not in total. Until then `known` is false.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right

import orjson

from bps.core import keys
from bps.core.errors import BpsError, IntegrityError, StoreError
from bps.core.ports import Clock, Key, Store, WatchBatch
from bps.plans.events import Envelope
from bps.plans.model import Head, State
from bps.plans.read import branches_of, list_plan_ids
from bps.plans.reviews import ReviewStatus
from bps.plans.stored import review_at
from bps.sidecar.feed import Feed

MAX_PENDING = 20_000
"""Kept at most; more wait than anybody can promote, and `known` says that some are not counted."""
_PLAN_PAUSE_S = 0.02
_POLL_S = 0.02
_RETRY_S = 2.0
_LAST_EVENTS = 1_000
_SUCCEEDED = "BRANCH_SUCCEEDED"
_REVIEW = b"/review"


class PendingPromotions:
    """Run `run` as a task; what waits, and whether that is all (`known`), is there at any time."""

    def __init__(self, store: Store, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock
        self._since_ms: dict[bytes, int] = {}
        self._reviews_ms: dict[bytes, int] = {}
        self._unreadable: set[bytes] = set()
        self._seen: set[bytes] | None = set()
        self._wanted = asyncio.Event()
        self._gaps = 0
        self.known = False
        feed.listen(self._learn, on_gap=self._forget)

    @property
    def count(self) -> int:
        """How many wait, as far as is known."""
        return len(self._since_ms)

    def oldest_ms(self) -> int | None:
        """When the oldest succeeded (milliseconds since the epoch); None where none waits."""
        return min(self._since_ms.values(), default=None)

    @property
    def reviews(self) -> int:
        """How many reviews are open, as far as is known."""
        return len(self._reviews_ms)

    def oldest_review_ms(self) -> int | None:
        """When the oldest open review was opened; None where none is open."""
        return min(self._reviews_ms.values(), default=None)

    def plans_in_review(self, after: str | None = None) -> list[str]:
        """Plans whose review is open, as far as is known, in the order of their ids as text.

        Those too whose review cannot be read: who reads it is told why.

        Only those that come after plan `after`.
        """
        start, end = len(keys.PLAN_DATA), -len(_REVIEW)
        found = self._unreadable | self._reviews_ms.keys()
        plans = sorted(key[start:end].decode(errors="replace") for key in found)
        return plans if after is None else plans[bisect_right(plans, after) :]

    async def known_within(self, limit_s: float, revision: int) -> bool:
        """Whether all is known that was at `revision`, and nothing was missed since but lately.

        Has it looked for, and waits at most `limit_s` for it.
        """

        def known() -> bool:
            return self.known and self._feed.current and self._feed.revision >= revision

        until_s = self._clock.monotonic_s() + limit_s
        self.want()
        while not known() and self._clock.monotonic_s() < until_s:
            await self._clock.sleep(_POLL_S)
        return known()

    def want(self) -> None:
        """Somebody looks at it: begin to look for what waited before, if that was not done."""
        if not self.known:
            self._wanted.set()

    async def run(self) -> None:
        """Look for what waits whenever that is wanted and not known; until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            gaps = self._gaps
            try:
                complete = await self._look()
            except BpsError:
                await self._clock.sleep(_RETRY_S)
                continue
            if gaps == self._gaps:
                full = MAX_PENDING in {len(self._since_ms), len(self._reviews_ms)}
                self.known = complete and not full
                self._seen = None

    def _learn(self, batch: WatchBatch) -> None:
        times: dict[bytes, int] = {}
        changed: list[tuple[bytes, bytes]] = []
        for event in batch.events:
            key = event.kv.key
            if not key.startswith(keys.PLAN_DATA):
                continue
            root, _, inside = key[len(keys.PLAN_DATA) :].partition(b"/")
            if inside == b"head" and not event.deleted:
                times[root] = orjson.loads(event.kv.value)["time_ms"]
            elif inside == b"review":
                self._put_review(key, b"" if event.deleted else event.kv.value)
            elif inside.startswith(b"rr/"):
                changed.append((key, b"" if event.deleted else event.kv.value))
        for key, value in changed:
            root = key[len(keys.PLAN_DATA) :].partition(b"/")[0]
            self._put(key, value, times.get(root, self._clock.now_ms()))

    def _put(self, key: bytes, value: bytes, time_ms: int) -> None:
        if self._seen is not None:
            self._seen.add(key)
        if value and orjson.loads(value)["state"] == State.SUCCEEDED:
            self._keep(self._since_ms, key, time_ms)
        else:
            self._since_ms.pop(key, None)

    def _put_review(self, key: bytes, value: bytes) -> None:
        if self._seen is not None:
            self._seen.add(key)
        # The plan's next review has the same key, and a time of its own.
        self._reviews_ms.pop(key, None)
        self._unreadable.discard(key)
        if value and (review := orjson.loads(value))["status"] == ReviewStatus.OPEN:
            self._keep(self._reviews_ms, key, review["opened_ms"])

    def _keep(self, kept: dict[bytes, int], key: bytes, time_ms: int) -> None:
        if len(kept) < MAX_PENDING:
            kept.setdefault(key, time_ms)
        else:
            self.known = False

    def _forget(self) -> None:
        self._since_ms.clear()
        self._reviews_ms.clear()
        self._unreadable.clear()
        self._seen = set()
        self._gaps += 1
        self.known = False

    async def _look(self) -> bool:
        """Page through all plans; False where one could not be read."""
        complete = True
        for plan in await list_plan_ids(self._store):
            try:
                await self._look_into(plan)
            except StoreError:
                raise
            except IntegrityError:
                complete = False
            await self._clock.sleep(_PLAN_PAUSE_S)
        return complete

    async def _look_into(self, plan: str) -> None:
        at = keys.PlanKeys(plan)
        found = (await self._store.snapshot([Key(at.newest_review)])).answers[0]
        if found and (self._seen is None or at.newest_review not in self._seen):
            try:
                review = review_at(at, found[0])
            except IntegrityError:
                self._unreadable.add(at.newest_review)
                raise
            if review.is_open:
                self._keep(self._reviews_ms, at.newest_review, review.opened_ms)
        waiting = {
            at.rr_plan(rr_plan.branch, rr_plan.n): rr_plan
            for _, rr_plan in await branches_of(self._store, plan)
            if rr_plan.state is State.SUCCEEDED
        }
        if not waiting:
            return
        succeeded = await self._success_times(at)
        for key, rr_plan in waiting.items():
            if self._seen is None or key not in self._seen:
                since_ms = succeeded.get((rr_plan.branch, rr_plan.n), rr_plan.opened_ms)
                self._keep(self._since_ms, key, since_ms)

    async def _success_times(self, at: keys.PlanKeys) -> dict[tuple[str | None, int | None], int]:
        """When RR-plans succeeded, from the plan's last 1,000 events."""
        found = (await self._store.snapshot([Key(at.head)])).answers[0]
        last = Head.decode(found[0].value, key=at.head).seq if found else 0
        start = at.event(max(1, last + 1 - _LAST_EVENTS))
        end = keys.after_prefix(at.events)
        page = await self._store.page(start, end, limit=_LAST_EVENTS)
        events = [Envelope.decode(kv.value, key=kv.key) for kv in page.kvs]
        return {(each.branch, each.rr): each.time_ms for each in events if each.type == _SUCCEEDED}
