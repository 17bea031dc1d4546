"""`bps replay`: rebuild the state from the events alone and prove it equal to the stored one (R11).

Records that no later event can change (versions, closed RR-plans) are compared as they come, in
batches, and forgotten; so memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import ClassVar

from pydantic import ValidationError

from bps.core import keys
from bps.core.codec import Decimal, Record
from bps.core.errors import LimitExceeded, MalformedRecord, ReplayDiverged
from bps.core.ports import Store
from bps.core.wording import reason_of
from bps.plans.events import BlueprintPromoted, Body, Envelope, body_type
from bps.plans.evolve import PlanState, actor_of
from bps.plans.legality import check_legal
from bps.plans.model import RRPlan, Version
from bps.plans.reviews import Review
from bps.replay.clock_digests import ClockDigests
from bps.replay.log import PinnedLog, pin
from bps.replay.stored import StoredRecords
from bps.replay.verify import Checked, checked_events


class Replayed(Record):
    """The state rebuilt from the events equals the stored state, at `revision`.

    `next_release` of the `records` were written by the next release: their fields that this one
    does not know are proven by that one only.
    """

    KIND: ClassVar[str] = "replayed"

    plan: str
    events: Decimal
    records: Decimal
    version: Decimal
    digest: str
    branches: int
    rr_plans: Decimal
    revision: Decimal
    next_release: Decimal = 0


async def replay(store: Store, plan: str) -> Replayed:
    """Verify and replay one plan's log, and compare every record that it derives.

    Cost: as `verify` without the blobs, plus one read per 50 records that are final and one per
    record that may still change; about 80 us an event. Memory is flat.

    Raises:
        NotFound: no such plan.
        ChainBroken: the log itself does not verify.
        ReplayDiverged: a stored record is not what the events say; facts name its key.
        SchemaTooNew: an event or a record was written by a newer release, in a way that this one
            cannot read.
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
        self._log = log
        self._stored = StoredRecords(store, log)
        self._state = PlanState(log.plan)
        self._digests = ClockDigests()
        self._time_ms = 0
        self._opened = 0

    async def take(self, event: Checked) -> None:
        """Apply one event and compare what it makes final."""
        try:
            await self._apply(event)
        except (MalformedRecord, LimitExceeded, ValidationError) as error:
            why = reason_of(error)
            msg = f"{self._log.plan}: event {event.seq} does not follow from those before: {why}."
            raise ReplayDiverged(msg, plan=self._log.plan, index=event.seq) from error
        for key, record in self._state.changed.items():
            if isinstance(record, Version) and key != self._state.keys.canonical:
                await self._stored.expect_final(key, record)
            elif isinstance(record, Review):
                if not record.is_open and key != self._state.keys.newest_review:
                    await self._stored.expect_final(key, record)
            elif isinstance(record, RRPlan):
                if event.fields["type"] == "BRANCH_OPENED":
                    self._opened += 1
                if not record.state.live:
                    await self._stored.expect_final(key, record)
                    del self._state.rr_plans[record.branch, record.n]
        self._state.changed.clear()

    async def _apply(self, event: Checked) -> None:
        at = self._state.keys
        envelope = Envelope.from_fields(event.fields, key=at.event(event.seq))
        body: Body = body_type(envelope).decode(event.body, key=at.body(event.seq))
        clock = self._state.clock_after(body, envelope.branch, envelope.rr)
        actor = actor_of(body, envelope.branch)
        said = (envelope.actor, envelope.counter, envelope.clock_digest)
        if said != (actor, clock.get(actor), self._digests.digest(actor, clock)):
            raise MalformedRecord("its actor, counter or clock is not the one that follows.")
        if envelope.time_ms < self._time_ms:
            raise MalformedRecord("its time is before that of the event before.")
        self._time_ms = envelope.time_ms
        check_legal(self._state, envelope, body)
        self._state.apply(envelope, body, clock)
        if isinstance(body, BlueprintPromoted) and body.reverted_to is not None:
            await self._stored.expect_reverted(body.reverted_to, body.digest, body.size_bytes)

    async def finish(self) -> Replayed:
        """Compare the records that may still change, and that nothing else is stored."""
        state, plan_keys = self._state, self._state.keys
        canonical = state.canonical
        if state.plan is None or canonical is None:
            raise ReplayDiverged(f"{self._log.plan} was never registered.", plan=self._log.plan)
        stored = self._stored
        await stored.expect_final(plan_keys.record, state.plan)
        await stored.flush()
        await stored.expect_now(plan_keys.canonical, canonical)
        review = state.review
        if review is not None:
            await stored.expect_now(plan_keys.newest_review, review)
            if review.is_open:
                await stored.expect_now(plan_keys.review(review.n), review)
        for branch in state.branches.values():
            await stored.expect_now(plan_keys.branch(branch.branch), branch)
        for place, rr_plan in state.rr_plans.items():
            await stored.expect_now(plan_keys.rr_plan(*place), rr_plan)
        records = 0
        for prefix, count in (
            (plan_keys.branches, len(state.branches)),
            (plan_keys.versions, canonical.version),
            (plan_keys.rr_plans, self._opened),
            (plan_keys.reviews, review.n if review is not None else 0),
        ):
            await stored.expect_count(prefix, count, self._derived)
            records += count
        single = 2 if review is None else 3
        inside = single + 2 * self._log.head.seq + records + await stored.blob_count()
        await stored.expect_count(plan_keys.root, inside, self._belongs)
        return Replayed(
            plan=self._log.plan,
            events=self._log.head.seq,
            records=stored.compared,
            version=canonical.version,
            digest=canonical.digest,
            branches=len(state.branches),
            rr_plans=self._opened,
            revision=self._log.revision,
            next_release=stored.of_next_release,
        )

    def _belongs(self, key: bytes) -> bool:
        """Inside of a plan lie head, canonical, review, events, bodies, records, blobs; no more."""
        at = self._state.keys
        log = (at.events, at.bodies, at.blobs)
        known = (*log, at.branches, at.versions, at.rr_plans, at.reviews)
        single = {at.head, at.canonical} | ({at.newest_review} if self._state.review else set())
        return key in single or key.startswith(known)

    def _derived(self, key: bytes) -> bool:
        plan_keys = self._state.keys
        n = keys.last_number(key) or 0
        if key.startswith(plan_keys.versions):
            return key == plan_keys.version(n) and 1 <= n <= self._state.need_canonical().version
        if key.startswith(plan_keys.reviews):
            newest = self._state.review
            return newest is not None and key == plan_keys.review(n) and 1 <= n <= newest.n
        branches: Sequence[str] = list(self._state.branches)
        if key.startswith(plan_keys.branches):
            return key in {plan_keys.branch(branch) for branch in branches}
        name = key[len(plan_keys.rr_plans) :].split(b"/")[0].decode(errors="replace")
        known = self._state.branches.get(name)
        return known is not None and key == plan_keys.rr_plan(name, n) and 1 <= n <= known.n
