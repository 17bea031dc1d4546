"""A plan being written to: its state from a view, and the events that a decision appends.

Only what a decision needs is loaded. `commit` turns all that was appended into one transaction,
which compares the plan's head, the policy and, for promotions, the initiative's governance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial

from pydantic import ValidationError

from bps.core import keys
from bps.core.chain import GENESIS
from bps.core.codec import MAX_TIME_MS, canonical_json, sha256_hex, to_decimals
from bps.core.errors import ClockNullified, ConfigError, MalformedRecord, NotFound
from bps.core.txn import KV, Condition, Operation, Put, absent, unchanged
from bps.core.vector_clock import Clock
from bps.core.wording import reason_of
from bps.plans.events import Body, Envelope
from bps.plans.evolve import PlanState, actor_of
from bps.plans.legality import check_legal
from bps.plans.model import Branch, Head, Plan, RRPlan, State
from bps.plans.reviews import Review
from bps.plans.stored import branch_at, plan_at, review_at, rr_plan_at, version_at
from bps.policy.model import Policy, PolicyInForce
from bps.policy.read import not_initialised
from bps.writepath.command import OperationId
from bps.writepath.view import View

_in_force = lru_cache(maxsize=4)(PolicyInForce)
"""Decoded once per stored version; every command needs it."""


def clock_digest(clock: Clock) -> str:
    """SHA-256 of a clock's canonical bytes, counters as decimal strings."""
    return sha256_hex(canonical_json(to_decimals(clock)))


def _head_at(kv: KV) -> Head:
    return Head.decode(kv.value, key=kv.key)


def _head_after(head: Head | None, seq: int, digest: str, time_ms: int) -> Head:
    """The next head; what the next release keeps in it is carried on."""
    if head is None:
        return Head(seq=seq, hash=digest, time_ms=time_ms)
    return head.model_copy(update={"seq": seq, "hash": digest, "time_ms": time_ms})


@dataclass(slots=True)
class PlanBook:
    """One decision's working copy of a plan. Its time never goes back behind the head's."""

    view: View
    operation: OperationId
    now_ms: int
    state: PlanState
    head: Head | None
    policy_in_force: PolicyInForce
    conflicts: int = 0
    """As `Commit.conflicts`."""
    _operations: list[Operation] = field(default_factory=list)
    _compares: list[Condition] = field(default_factory=list)

    @classmethod
    def open(cls, view: View, plan_id: str, operation: OperationId, now_ms: int) -> PlanBook:
        """Load plan, head, canonical and policy; a plan that does not exist loads as empty.

        Raises:
            NotRead: the view lacks one of them.
            ConfigError: the store was never initialised, or the clock is absurd.
            MalformedRecord: a part of the plan is missing or not its own.
        """
        if not 0 <= now_ms <= MAX_TIME_MS:
            msg = f"This machine's clock says {now_ms} ms since 1970."
            raise ConfigError(msg).advising("Set the clock of this machine right.")
        state = PlanState(plan_id)
        wanted = (state.keys.record, state.keys.head, state.keys.canonical, keys.POLICY_CURRENT)
        plan, head, canonical, policy = view.get_all(wanted)
        if policy is None:
            raise not_initialised()
        if len({plan is None, head is None, canonical is None}) > 1:
            msg = f"{plan_id} has lost its record, its head or its canonical version."
            raise MalformedRecord(msg, plan=plan_id)
        at = state.keys
        state.plan = view.decoded(plan, partial(plan_at, at)) if plan else None
        state.canonical = view.decoded(canonical, partial(version_at, at)) if canonical else None
        stored_head = view.decoded(head, _head_at) if head else None
        in_force = _in_force(policy)
        book = cls(
            view,
            operation,
            max(now_ms, stored_head.time_ms if stored_head else 0),
            state,
            stored_head,
            in_force,
        )
        book._compares = [
            unchanged(state.keys.head, head.mod_revision if head else 0),
            unchanged(keys.POLICY_CURRENT, in_force.mod_revision),
            absent(state.keys.event(stored_head.seq + 1 if stored_head else 1)),
        ]
        return book

    @property
    def as_read(self) -> tuple[Condition, ...]:
        """What proves that nothing in the plan has changed: its head. For a Noop (ADR 0016)."""
        return (self._compares[0],)

    @property
    def policy(self) -> Policy:
        """The rules of this decision; its transaction compares that they still hold."""
        return self.policy_in_force.policy

    def need_plan(self) -> Plan:
        """The plan. Raises NotFound."""
        if self.state.plan is None:
            raise NotFound(f"There is no plan {self.state.keys.plan}.", plan=self.state.keys.plan)
        return self.state.plan

    def open_review(self) -> Review | None:
        """What of the plan waits for a person. Raises NotRead, MalformedRecord.

        It must have been asked for before an event of a review is appended.
        """
        if self.state.review is None:
            (stored,) = self.view.get_all([self.state.keys.newest_review])
            self.state.review = review_at(self.state.keys, stored) if stored else None
        review = self.state.review
        return review if review is not None and review.is_open else None

    def branches(self) -> list[Branch]:
        """All branches of the plan. Raises NotRead."""
        stored = self.view.under(self.state.keys.branches)
        at = partial(branch_at, self.state.keys)
        found = [self.view.decoded(kv, at) for kv in stored]
        for branch in found:
            self.state.branches.setdefault(branch.branch, branch)
        return list(self.state.branches.values())

    def branch(self, branch_id: str) -> Branch:
        """One branch, by its full id. Raises NotRead, MalformedRecord."""
        known = self.state.branches.get(branch_id)
        if known is None:
            (stored,) = self.view.get_all([self.state.keys.branch(branch_id)])
            if stored is None:
                plan = self.state.keys.plan
                raise MalformedRecord(f"{plan} has lost branch {branch_id}.", plan=plan)
            known = self.state.branches[branch_id] = self.view.decoded(
                stored, partial(branch_at, self.state.keys)
            )
        return known

    def rr_plans(self, places: list[tuple[str, int]]) -> list[RRPlan]:
        """RR-plans by (branch, n), which a record names. Raises NotRead, MalformedRecord."""
        unloaded = [place for place in places if place not in self.state.rr_plans]
        wanted = [self.state.keys.rr_plan(branch, n) for branch, n in unloaded]
        for (branch, n), kv in zip(unloaded, self.view.get_all(wanted), strict=True):
            if kv is None:
                msg = f"{self.state.keys.plan} has lost RR-plan {n} of branch {branch}."
                raise MalformedRecord(msg, plan=self.state.keys.plan)
            self.state.rr_plans[branch, n] = self.view.decoded(kv, rr_plan_at)
        return [self.state.rr_plans[place] for place in places]

    def rr_plan(self, branch: str, n: int) -> RRPlan:
        """One RR-plan, which a record names. Raises NotRead, MalformedRecord."""
        return self.rr_plans([(branch, n)])[0]

    def number(self, branch: Branch, n: int | None) -> int:
        """`n`, or the newest RR-plan's number. Raises NotFound for one that never was."""
        if n is not None and not 1 <= n <= branch.n:
            plan = self.state.keys.plan
            msg = f"{plan} has no RR-plan {n} of branch {branch.short}; its newest is {branch.n}."
            raise NotFound(msg, plan=plan, branch=branch.branch)
        return branch.n if n is None else n

    def live_rr_plan(self, branch: Branch, n: int | None) -> RRPlan:
        """The RR-plan that an event may still be appended to; the newest where `n` is None.

        Raises:
            ClockNullified: it emitted VC_NULLIFY.
            NotFound: the branch never had that one.
        """
        rr_plan = self.rr_plan(branch.branch, self.number(branch, n))
        if rr_plan.state.obsolete:
            raise ClockNullified(
                f"{rr_plan.rr_plan} is nullified (STATUS={rr_plan.state.value}).",
                rr_plan=rr_plan.rr_plan,
                state=rr_plan.state.value,
            )
        return rr_plan

    def append(
        self,
        body: Body,
        *,
        branch: str | None = None,
        rr: int | None = None,
        trace_id: str | None = None,
    ) -> Envelope:
        """Append an event and apply it to the state.

        Raises:
            LimitExceeded: the clock would have too many entries.
            MalformedRecord: stored records contradict each other, so that no event can follow.
        """
        try:
            return self._append(body, branch, rr, trace_id)
        except ValidationError as error:
            plan = self.state.keys.plan
            msg = f"{plan}: no {body.TYPE} can follow what is stored: {reason_of(error)}."
            raise MalformedRecord(msg, plan=plan) from error

    def _append(
        self, body: Body, branch: str | None, rr: int | None, trace_id: str | None
    ) -> Envelope:
        clock = self.state.clock_after(body, branch, rr)
        actor = actor_of(body, branch)
        seq = self.head.seq + 1 if self.head else 1
        body_bytes = body.encode()
        envelope = Envelope(
            plan=self.state.keys.plan,
            seq=seq,
            type=body.TYPE,
            actor=actor,
            counter=clock[actor],
            branch=branch,
            rr=rr,
            op=self.operation.name,
            trace_id=trace_id,
            time_ms=self.now_ms,
            prev=self.head.hash if self.head else GENESIS,
            body_digest=sha256_hex(body_bytes),
            clock_digest=clock_digest(clock),
            policy_digest=self.policy_in_force.digest,
        )
        check_legal(self.state, envelope, body)
        self.state.apply(envelope, body, clock)
        data = envelope.encode()
        self._operations += (
            Put(self.state.keys.event(seq), data),
            Put(self.state.keys.body(seq), body_bytes),
        )
        self.head = _head_after(self.head, seq, sha256_hex(data), self.now_ms)
        return envelope

    def compare(self, condition: Condition) -> None:
        """Make the transaction depend on one more condition."""
        self._compares.append(condition)

    def put(self, operation: Put) -> None:
        """Write something that no event derives: a blob."""
        self._operations.append(operation)

    def parts(self) -> tuple[tuple[Condition, ...], tuple[Operation, ...]]:
        """Compares and operations of all that was appended; every record is encoded once."""
        operations = list(self._operations)
        encoded: dict[int, bytes] = {}
        for key, record in self.state.changed.items():
            data = encoded.get(id(record))
            if data is None:
                data = encoded[id(record)] = record.encode()
            operations.append(Put(key, data))
        if self.head is not None:
            operations.append(Put(self.state.keys.head, self.head.encode()))
        return tuple(self._compares), tuple(operations)

    def branch_counter(self, branch: Branch) -> int:
        """The branch's counter so far, over all its RR-plans. Raises NotRead, MalformedRecord."""
        newest = self.rr_plan(branch.branch, branch.n)
        return max(newest.clock.get(branch.branch, 0), branch.late_counter)

    def live(self, branches: list[Branch]) -> list[RRPlan]:
        """The newest RR-plans of `branches` that are live. Raises NotRead."""
        newest = self.rr_plans([(branch.branch, branch.n) for branch in branches])
        return [rr_plan for rr_plan in newest if rr_plan.state in {State.OPEN, State.SUCCEEDED}]
