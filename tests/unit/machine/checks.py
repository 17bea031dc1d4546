"""What must hold after every step, read from the store and from what callers were told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import (
    Contended,
    IdempotencyKeyReused,
    IntegrityError,
    LeadershipError,
    MergeConflict,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from bps.core.keys import PlanKeys, after_prefix
from bps.core.ports import Key, Read, Snapshot, Store
from bps.core.txn import KV
from bps.plans.blob import unpack
from bps.plans.events import BlueprintPromoted, Envelope
from bps.plans.model import Head, RRPlan, Version
from bps.replay.replay import replay
from bps.replay.verify import verify
from bps.writepath.command import Command, Noop, OpRecord
from bps.writepath.prepare import NotPrepared
from bps.writepath.view import NotRead, View
from tests.unit.machine.lab import PLANS, Lab
from tests.unit.machine.parts import Told
from tests.unit.machine.wire import Applied, aborts, op_keys

_REFUSALS = (Rejected, IdempotencyKeyReused, Unavailable, Contended, LeadershipError)
_ALL = 100_000


class Violated(AssertionError):
    """A promise was broken; the message begins with its name."""


@dataclass(slots=True)
class Events:
    """By operation: the revisions at which its events were written, and the last one's number."""

    revisions: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    types: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_place: dict[tuple[str, int], KV] = field(default_factory=dict)


@dataclass(slots=True)
class Checks:
    """Keeps what it has seen, so that a step costs only what it changed."""

    lab: Lab
    _applied: int = 0
    _heads: dict[str, Head] = field(default_factory=dict)
    _aborted: dict[bytes, int] = field(default_factory=dict)
    _heard: int = 0
    _revision: int = 0
    _whole: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    async def hold(self) -> None:
        """Raises Violated."""
        self._terms_do_not_come_back()
        await self._valid_terms_are_held()
        await self._writes_are_fenced()
        revision = await self.lab._revision()
        if revision != self._revision:
            for plan in PLANS:
                await self._plan_is_sound(plan)
            self._revision = revision
        await self._callers_were_told_the_truth()

    async def _writes_are_fenced(self) -> None:
        new, self._applied = self.lab.post.applied[self._applied :], len(self.lab.post.applied)
        for applied in new:
            held = await one(self.lab.store, keys.LEADER_HOLDER, applied.revision - 1)
            if held is None or held.create_revision != applied.sent.fence:
                raise Violated(f"old fence: revision {applied.revision} is of a former leader")
            self._aborted_stays_aborted(applied)

    def _aborted_stays_aborted(self, applied: Applied) -> None:
        sent = applied.sent
        for key in op_keys(sent.txn):
            if aborts(sent.txn):
                self._aborted[key] = sent.number
            elif sent.number < self._aborted.get(key, 0):
                raise Violated(f"aborted: {key.decode()} was settled as ABORTED, and committed")

    def _terms_do_not_come_back(self) -> None:
        for writer in self.lab.writers:
            try:
                writer.leadership.fence()
            except LeadershipError:
                writer.was_lost = True
            else:
                if writer.was_lost:
                    raise Violated(f"resumed: the term of fence {writer.wire.fence} was lost")

    async def _valid_terms_are_held(self) -> None:
        held = await one(self.lab.store, keys.LEADER_HOLDER)
        for writer in self.lab.writers:
            lives = held is not None and held.create_revision == writer.wire.fence
            if not (writer.was_lost or writer.revoked or lives):
                raise Violated(f"lease: the leader of fence {writer.wire.fence} outlives its lease")

    async def _plan_is_sound(self, plan: str) -> None:
        store, at = self.lab.store, PlanKeys(plan)
        stored = await one(store, at.head)
        if stored is None:
            return
        head, before = Head.decode(stored.value), self._heads.get(plan)
        self._heads[plan] = head
        if before is not None and head.time_ms < before.time_ms:
            raise Violated(f"time: {plan}'s head went back to {head.time_ms}")
        events = [(kv, Envelope.decode(kv.value)) for kv in await below(store, at.events)]
        times = [event.time_ms for _, event in events]
        if times != sorted(times):
            raise Violated(f"time: the events of {plan} are not in the order of their times")
        rewritten = [kv.key for kv, _ in events if kv.create_revision != kv.mod_revision]
        if rewritten:
            raise Violated(f"overwritten: {rewritten[0].decode()}")
        await self._versions_are_whole(at)
        await self._merges_lose_nothing(at)
        try:
            await verify(store, plan)
            await replay(store, plan)
        except IntegrityError as error:
            raise Violated(f"log: {error}") from error

    async def _versions_are_whole(self, at: PlanKeys) -> None:
        versions = await below(self.lab.store, at.versions)
        pointer = await one(self.lab.store, at.canonical)
        numbers = [Version.decode(kv.value).version for kv in versions]
        if numbers != list(range(1, len(versions) + 1)):
            raise Violated(f"versions: {numbers}")
        if pointer is None or pointer.value != versions[-1].value:
            raise Violated("versions: the pointer is not the last version")
        if pointer.mod_revision != versions[-1].mod_revision:
            raise Violated("torn: the pointer was written apart from its version")

    async def _merges_lose_nothing(self, at: PlanKeys) -> None:
        """Nothing of the engine is used: each line that a contributor made is in the result."""
        store = self.lab.store
        for kv in await below(store, at.events):
            event = Envelope.decode(kv.value)
            if event.type != BlueprintPromoted.TYPE or event.seq in self._whole[at.plan]:
                continue
            stored = await one(store, at.body(event.seq))
            body = BlueprintPromoted.decode(stored.value if stored is not None else b"")
            lines = await self._lines(at, body.digest)
            for each in body.contributors:
                rr_plan = await one(store, at.rr_plan(each.branch, each.n))
                base = RRPlan.decode(rr_plan.value).base_digest if rr_plan is not None else ""
                new = await self._lines(at, each.digest) - await self._lines(at, base)
                if not new <= lines:
                    what = sorted(new - lines)
                    raise Violated(f"merge: version {body.version} lost {what} of {each.rr_plan}")
            self._whole[at.plan].add(event.seq)

    async def _lines(self, at: PlanKeys, digest: str) -> set[bytes]:
        blob = await one(self.lab.store, at.blob(digest))
        if blob is None:
            raise Violated(f"blob: {digest} is not stored")
        return set(unpack(blob.value, digest).splitlines())

    async def _callers_were_told_the_truth(self) -> None:
        events = Events()
        for plan in PLANS:
            for kv in await below(self.lab.store, PlanKeys(plan).events):
                event = Envelope.decode(kv.value)
                events.revisions[event.op].add(kv.mod_revision)
                events.types[event.op].add(event.type)
                events.by_place[plan, event.seq] = kv
        for name, revisions in events.revisions.items():
            if len(revisions) > 1:
                raise Violated(f"duplicated: {name} was done at revisions {sorted(revisions)}")
        new, self._heard = self.lab.told[self._heard :], len(self.lab.told)
        for told in new:
            if told.outcome is not None and told.outcome.how == "noop":
                await self._noop_was_so(told)
        by_name: dict[str, list[Told]] = defaultdict(list)
        for told in self.lab.told:
            by_name[told.name].append(told)
        pending = {call.command.operation.name for call in self.lab.calls}
        for name, answers in by_name.items():
            await self._is_true(name, answers, events, pending=name in pending)

    async def _is_true(
        self, name: str, answers: list[Told], events: Events, *, pending: bool
    ) -> None:
        results = [told.outcome for told in answers if told.outcome is not None]
        if any(outcome.result != results[0].result for outcome in results):
            raise Violated(f"repeated: {name} brought two results")
        for told in answers:
            if not isinstance(told.error, (*_REFUSALS, OutcomeUnknown, type(None))):
                raise Violated(f"crashed: {name}: {told.error!r}") from told.error
        if results:
            await self._was_done(name, results[0].result, events)
        elif isinstance(answers[-1].error, MergeConflict):
            published = {each for each in events.types[name] if not each.startswith("REVIEW_")}
            if published:
                raise Violated(f"conflict: {name} was to wait for a person, and is {published}")
        elif name in events.revisions and not pending and _was_refused(answers):
            raise Violated(f"refused: {name} was told {answers[-1].error!r}, and is done")

    async def _was_done(self, name: str, result: object, events: Events) -> None:
        receipt = getattr(result, "receipt", None)
        if receipt is not None:
            kv = events.by_place.get((receipt.plan, receipt.seq))
            if kv is None or sha256_hex(kv.value) != receipt.hash:
                raise Violated(f"lost: {name} was acknowledged as event {receipt.seq}")
            if Envelope.decode(kv.value).op != name:
                raise Violated(f"lost: event {receipt.seq} is not of {name}")
        elif hasattr(result, "receipt") and name in events.revisions:
            raise Violated(f"noop: {name} did something, and said that it did nothing")
        if name in self.lab.forgotten:
            return
        principal, _, op_id = name.partition("/")
        record = await one(self.lab.store, keys.op(principal, op_id))
        if record is None or OpRecord.decode(record.value).state != "DONE":
            raise Violated(f"unrecorded: {name} was acknowledged without a record")

    async def _noop_was_so(self, told: Told) -> None:
        """That there was nothing to do, at some moment of the call."""
        for revision in range(told.called, told.returned + 1):
            decided = await decided_at(self.lab.store, told.command, revision)
            if told.outcome is not None and decided == told.outcome.result:
                return
        raise Violated(f"stale: {told.name} had something to do, and was told otherwise")


def _was_refused(answers: list[Told]) -> bool:
    """Whether what the caller was told says that nothing was nor will be written."""
    if isinstance(answers[-1].error, Rejected):
        return True
    return all(isinstance(told.error, _REFUSALS) for told in answers)


async def one(store: Store, key: bytes, revision: int = 0) -> KV | None:
    """One key, now or as it was."""
    found = (await store.page(key, key + b"\0", limit=1, revision=revision)).kvs
    return found[0] if found else None


async def below(store: Store, prefix: bytes, revision: int = 0) -> tuple[KV, ...]:
    """All keys below `prefix`, now or as they were."""
    return (await store.page(prefix, after_prefix(prefix), limit=_ALL, revision=revision)).kvs


async def decided_at(store: Store, command: Command[Any], revision: int) -> object:
    """The result of `command` where it had nothing to do at `revision`; else None."""
    reads = list(command.reads())
    while True:
        view = View(fresh=True)
        answers = [await _read(store, read, revision) for read in reads]
        view.learn(reads, Snapshot(revision, tuple(answers)))
        try:
            decision = command.decide(view, 0)
        except NotRead as unread:
            reads += unread.reads
        except (Rejected, NotPrepared):
            # Who has something to merge has something to do.
            return None
        else:
            return decision.result if isinstance(decision, Noop) else None


async def _read(store: Store, read: Read, revision: int) -> tuple[KV, ...]:
    if isinstance(read, Key):
        found = await one(store, read.key, revision)
        return () if found is None else (found,)
    kvs = await below(store, read.prefix, revision)
    return tuple(reversed(kvs)) if read.descending else kvs
