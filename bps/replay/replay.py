"""`bps replay`: rebuild the state from the events alone and prove it equal to the stored one (R11).

Records that no later event can change (versions, closed RR-plans) are compared as they come, in
batches, and forgotten; so memory does not grow with the log, but for the names of blueprints.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import ClassVar

from bps.core import keys
from bps.core.codec import Decimal, Record
from bps.core.errors import LimitExceeded, MalformedRecord, ReplayDiverged
from bps.core.ids import CANONICAL_ACTOR
from bps.core.ports import Key, Store
from bps.plans.events import BODIES, Body, Envelope
from bps.plans.evolve import PlanState
from bps.plans.model import RRPlan, Version
from bps.replay.clock_digests import ClockDigests
from bps.replay.log import PinnedLog, pages, pin
from bps.replay.verify import Checked, checked_events

_BATCH = 100


class Replayed(Record):
    """The state rebuilt from the events equals the stored state, at `revision`."""

    KIND: ClassVar[str] = "replayed"

    plan: str
    events: Decimal
    records: Decimal
    version: Decimal
    digest: str
    branches: int
    rr_plans: Decimal
    revision: Decimal


async def replay(store: Store, plan: str) -> Replayed:
    """Verify and replay one plan's log, and compare every record that it derives.

    Cost: as `verify`, plus one read of 100 keys per 100 closed records; about 100 us an event.

    Raises:
        NotFound: no such plan.
        ChainBroken: the log itself does not verify.
        ReplayDiverged: a stored record is not what the events say; facts name its key.
        SchemaTooNew: an event was written by a newer release.
    """
    log = await pin(store, plan)
    rebuilt = _Rebuilt(store, log)
    async with aclosing(checked_events(store, log)) as events:
        async for event in events:
            await rebuilt.take(event)
    return await rebuilt.finish()


class _Rebuilt:
    """The state so far, and the comparison with what is stored."""

    def __init__(self, store: Store, log: PinnedLog) -> None:
        self._store = store
        self._log = log
        self._state = PlanState(log.plan)
        self._digests = ClockDigests()
        self._time_ms = 0
        self._closed: list[tuple[bytes, Record]] = []
        self._compared = 0
        self._opened = 0
        self._blobs: set[str] = set()

    async def take(self, event: Checked) -> None:
        """Apply one event and compare what it makes final."""
        try:
            self._apply(event)
        except (MalformedRecord, LimitExceeded) as error:
            msg = f"{self._log.plan}: event {event.seq} does not follow from those before: {error}"
            raise ReplayDiverged(msg, plan=self._log.plan, index=event.seq) from error
        for key, record in self._state.changed.items():
            if isinstance(record, Version) and key != self._state.keys.canonical:
                self._closed.append((key, record))
            elif isinstance(record, RRPlan):
                if event.fields["type"] == "BRANCH_OPENED":
                    self._opened += 1
                if not record.state.live:
                    self._closed.append((key, record))
                    del self._state.rr_plans[record.branch, record.n]
        self._state.changed.clear()
        if len(self._closed) >= _BATCH:
            await self._compare_closed()

    def _apply(self, event: Checked) -> None:
        envelope = Envelope.from_fields(event.fields)
        kind = BODIES.get(envelope.type)
        if kind is None:
            raise MalformedRecord(f"{envelope.type} is no event type of this release.")
        body: Body = kind.decode(event.body)
        clock = self._state.clock_after(body, envelope.branch, envelope.rr)
        actor = envelope.branch or CANONICAL_ACTOR
        said = (envelope.actor, envelope.counter, envelope.clock_digest)
        if said != (actor, clock.get(actor), self._digests.digest(actor, clock)):
            raise MalformedRecord("its actor, counter or clock is not the one that follows.")
        if envelope.time_ms < self._time_ms:
            raise MalformedRecord("its time is before that of the event before.")
        self._time_ms = envelope.time_ms
        self._state.apply(envelope, body, clock)

    async def finish(self) -> Replayed:
        """Compare the records that may still change, and that nothing else is stored."""
        state, plan_keys = self._state, self._state.keys
        await self._compare_closed()
        canonical = state.canonical
        if state.plan is None or canonical is None:
            raise ReplayDiverged(f"{self._log.plan} was never registered.", plan=self._log.plan)
        changing: list[tuple[bytes, Record]] = [
            (plan_keys.record, state.plan),
            (plan_keys.canonical, canonical),
            *((plan_keys.branch(each.branch), each) for each in state.branches.values()),
            *((plan_keys.rr_plan(*place), each) for place, each in state.rr_plans.items()),
        ]
        for key, record in changing:
            page = await self._store.page(key, key + b"\x00", limit=1, revision=self._log.revision)
            self._compare(key, record, page.kvs[0].value if page.kvs else None)
        await self._expect_count(plan_keys.branches, len(state.branches))
        await self._expect_count(plan_keys.versions, canonical.version)
        await self._expect_count(plan_keys.rr_plans, self._opened)
        records = len(state.branches) + canonical.version + self._opened
        await self._expect_nothing_else(records, await self._expect_blobs())
        return Replayed(
            plan=self._log.plan,
            events=self._log.head.seq,
            records=self._compared,
            version=canonical.version,
            digest=canonical.digest,
            branches=len(state.branches),
            rr_plans=self._opened,
            revision=self._log.revision,
        )

    async def _compare_closed(self) -> None:
        closed, self._closed = self._closed, []
        for start in range(0, len(closed), _BATCH):
            batch = closed[start : start + _BATCH]
            reads = [Key(key) for key, _ in batch]
            answers = (await self._store.snapshot(reads)).answers
            for (key, record), kvs in zip(batch, answers, strict=True):
                self._compare(key, record, kvs[0].value if kvs else None)

    def _compare(self, key: bytes, record: Record, stored: bytes | None) -> None:
        self._compared += 1
        try:
            expected = record.encode()
        except TypeError:
            # A forged event can hold a number that canonical JSON does not; no record does.
            expected = b""
        if isinstance(record, Version | RRPlan) and record.digest is not None:
            self._blobs.add(record.digest)
        if stored != expected:
            where = key.decode()
            what = "is missing" if stored is None else "differs from what the events say"
            msg = f"{self._log.plan}: the stored record {where} {what}."
            raise ReplayDiverged(msg, plan=self._log.plan, key=where)

    async def _expect_count(self, prefix: bytes, expected: int) -> None:
        """Every expected key was compared; a surplus is a record that no event derives."""
        revision = self._log.revision
        if await self._store.count(prefix, revision=revision) == expected:
            return
        async with aclosing(pages(self._store, prefix, revision, keys_only=True)) as key_pages:
            async for page in key_pages:
                for kv in page:
                    if not self._derived(kv.key):
                        where = kv.key.decode(errors="replace")
                        msg = f"{self._log.plan}: no event derives the stored record {where}."
                        raise ReplayDiverged(msg, plan=self._log.plan, key=where)
        raise ReplayDiverged(f"{self._log.plan}: records below {prefix.decode()} are missing.")

    async def _expect_blobs(self) -> int:
        """Every blueprint that a record names is stored; the number of all that are stored.

        One that no record names is no harm. Memory: the names of the blueprints.
        """
        prefix, stored = self._state.keys.blobs, 0
        missing = set(self._blobs)
        key_pages = pages(self._store, prefix, self._log.revision, keys_only=True)
        async with aclosing(key_pages):
            async for page in key_pages:
                stored += len(page)
                missing.difference_update(kv.key[len(prefix) :].decode("latin-1") for kv in page)
        if missing:
            where = (prefix + min(missing).encode()).decode()
            msg = f"{self._log.plan}: the stored blueprint {where} is missing."
            raise ReplayDiverged(msg, plan=self._log.plan, key=where)
        return stored

    async def _expect_nothing_else(self, records: int, blobs: int) -> None:
        """Inside of the plan lie its head, canonical, events, bodies, records, blobs; no more."""
        plan_keys, revision = self._state.keys, self._log.revision
        expected = 2 + 2 * self._log.head.seq + records + blobs
        if await self._store.count(plan_keys.root, revision=revision) == expected:
            return
        log = (plan_keys.events, plan_keys.bodies, plan_keys.blobs)
        known = (*log, plan_keys.branches, plan_keys.versions, plan_keys.rr_plans)
        key_pages = pages(self._store, plan_keys.root, revision, keys_only=True)
        async with aclosing(key_pages):
            async for page in key_pages:
                for kv in page:
                    single = kv.key in {plan_keys.head, plan_keys.canonical}
                    if not single and not kv.key.startswith(known):
                        where = kv.key.decode(errors="replace")
                        msg = f"{self._log.plan}: no event derives the stored record {where}."
                        raise ReplayDiverged(msg, plan=self._log.plan, key=where)
        raise ReplayDiverged(f"{self._log.plan}: it does not hold {expected} keys.")

    def _derived(self, key: bytes) -> bool:
        plan_keys = self._state.keys
        n = keys.last_number(key) or 0
        if key.startswith(plan_keys.versions):
            return key == plan_keys.version(n) and 1 <= n <= self._state.need_canonical().version
        branches: Sequence[str] = list(self._state.branches)
        if key.startswith(plan_keys.branches):
            return key in {plan_keys.branch(branch) for branch in branches}
        name = key[len(plan_keys.rr_plans) :].split(b"/")[0].decode(errors="replace")
        known = self._state.branches.get(name)
        return known is not None and key == plan_keys.rr_plan(name, n) and 1 <= n <= known.n
