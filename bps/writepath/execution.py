"""One command's way through the loop: snapshot, decide, commit; on conflict, again.

Source: design, "One write path"; kubernetes apiserver's GuaranteedUpdate has the same shape.
Cost of an undisturbed command: one etcd round trip (the transaction) where the plan is warm, two
where it is cold. A conflict outside the plan costs one more, as its answer brings the new values.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from bps.core import keys
from bps.core.codec import Record
from bps.core.errors import (
    Contended,
    DigestMismatch,
    FencedOut,
    LeaseNotFound,
    MalformedRecord,
    NoSpace,
    OutcomeUnknown,
    Overloaded,
    Rejected,
    Unavailable,
    WorkFailed,
)
from bps.core.ports import Clock, Key, Read, Store
from bps.core.txn import (
    KV,
    Committed,
    Compare,
    Conflict,
    Exists,
    Fence,
    Target,
    Txn,
)
from bps.writepath.command import (
    Command,
    Decision,
    Noop,
    OperationId,
    Outcome,
    WriteAuthority,
    recorded_outcome,
    repeated,
)
from bps.writepath.prepare import NotPrepared, Preparations, Work
from bps.writepath.settlement import Done, settle
from bps.writepath.transaction import transaction_of
from bps.writepath.view import NotRead, View
from bps.writepath.warm import WarmPlans
from bps.writepath.witness import check_witness

R = TypeVar("R", bound=Record)

MAX_DECISION_AGE_S = 0.5
"""A decision not sent within this time of its `now` is made again."""
SETTLEMENT_S = 10.0
"""How long an unanswered write is asked after; longer than etcd needs to elect a leader."""
_PAUSE_S = 0.05


class Execution(Generic[R]):
    """One command's way through the loop."""

    def __init__(
        self,
        store: Store,
        authority: WriteAuthority,
        clock: Clock,
        warm: WarmPlans | None,
        command: Command[R],
        *,
        witness: Callable[[], Compare | None],
        preparations: Preparations,
    ) -> None:
        self._store = store
        self._authority = authority
        self._clock = clock
        self._warm = warm
        self._command = command
        self._witness = witness
        self._preparations = preparations
        self._prepared: dict[Work[Any], Any] = {}
        self._operation: OperationId = command.operation
        self._deadline_s = 0.0
        self._wanted_until_s = math.inf

    async def run(self, bound_s: float, wanted_until_s: float | None) -> Outcome[R]:
        """`bound_s` from now, or until the instant `wanted_until_s` if that is earlier."""
        if wanted_until_s is not None:
            self._wanted_until_s = wanted_until_s
        now_s = self._clock.monotonic_s()
        if now_s >= self._wanted_until_s:
            raise Overloaded("The deadline passed before the write was begun; nothing was written.")
        self._deadline_s = min(now_s + bound_s, self._wanted_until_s)
        warm = self._warm.view(self._command.plan) if self._warm and self._command.plan else None
        view = warm or await self._read(())
        while True:
            try:
                reached = await self._attempt(view)
            except NotRead as unread:
                self._check_time()
                view = await self._read_more(view, unread.reads)
            except NotPrepared as wanted:
                self._prepared[wanted.work] = await self._prepare(wanted.work)
            except LeaseNotFound:
                self._check_time()
                await self._authority.ops_lease_id(renew=True)
            except NoSpace:
                raise
            except Unavailable:
                if self._clock.monotonic_s() >= self._deadline_s:
                    raise
                await self._clock.sleep(_PAUSE_S)
            else:
                if isinstance(reached, Outcome):
                    return reached
                self._check_time()
                view = reached

    async def _attempt(self, view: View) -> Outcome[R] | View:
        """Decide on `view` and send: the outcome, or the view for the next attempt."""
        fence = self._authority.fence()
        recorded = view.get_or_guess_absent(self._operation.key)
        if recorded is not None and (done := recorded_outcome(self._command, recorded)):
            return done
        lease_id = await self._authority.ops_lease_id()
        view.prepared = self._prepared
        decided = self._decide(view)
        if decided is None:
            return await self._read(view.guessed)
        if isinstance(decided, Noop) and not decided.compares:
            return Outcome(decided.result, "noop", decided.why)
        witness = self._witness()
        txn = transaction_of(
            decided,
            self._operation,
            fence=fence,
            recorded=recorded,
            lease_id=lease_id,
            witness=witness,
        )
        try:
            answer = await self._store.commit(txn)
        except OutcomeUnknown:
            return await self._settled(fence, recorded)
        except NoSpace:
            if (applied := await self._applied(recorded)) is None:
                raise
            return applied
        if isinstance(answer, Committed):
            if self._command.plan is not None:
                self._preparations.blobs.learn(self._command.plan, txn)
            if self._warm is not None and self._command.plan is not None:
                self._warm.keep(self._command.plan, view, txn, decided.compares, answer.revision)
            if isinstance(decided, Noop):
                return Outcome(decided.result, "noop", decided.why)
            return Outcome(
                decided.result,
                "committed",
                revision=answer.revision,
                conflicts=decided.conflicts,
            )
        check_witness(witness, answer)
        return await self._learn(view, txn, answer, fence)

    async def _prepare(self, work: Work[Any]) -> Any:  # noqa: ANN401 - whatever the work gives
        """The result of heavy work by the deadline. Raises WorkFailed, MergeTooLong, Contended."""
        self._check_time()
        try:
            async with asyncio.timeout(self._deadline_s - self._clock.monotonic_s()):
                return await self._preparations.result_of(work)
        except TimeoutError:
            msg = (
                f"Operation {self._operation.name} was not prepared by its deadline: merging and "
                "judging took too long, or waited for others."
            )
            raise WorkFailed(msg, op=self._operation.name) from None

    async def _settled(self, fence: Fence, before: KV | None) -> Outcome[R] | View:
        """What became of a write without an answer; a fresh view where it never will be applied."""
        settled = await settle(
            self._store,
            self._clock,
            self._authority,
            self._operation,
            fence=fence,
            expected_mod_revision=before.mod_revision if before else 0,
            deadline_s=min(self._clock.monotonic_s() + SETTLEMENT_S, self._wanted_until_s),
        )
        self._forget()
        if isinstance(settled, Done):
            return repeated(self._command, settled.record, settled.mod_revision)
        return await self._read(())

    async def _applied(self, before: KV | None) -> Outcome[R] | None:
        """The outcome of a write that was answered by NoSpace; None where it was not applied.

        etcd says so before it proposes a write, and also of the one that passes its quota, which it
        has applied by then (`quotaApplierV3`). Either way all is over, so that a read is proof.
        """
        self._forget()
        try:
            found = (await self._store.snapshot([Key(self._operation.key)])).answers[0]
        except Unavailable as error:
            msg = f"No answer tells whether operation {self._operation.name} was applied."
            raise OutcomeUnknown(msg, op=self._operation.name) from error
        if not found or (before is not None and found[0].mod_revision == before.mod_revision):
            return None
        return recorded_outcome(self._command, found[0])

    def _decide(self, view: View) -> Decision[R] | None:
        """The decision to act on; None: read freshly and decide again."""
        while True:
            started_s = self._clock.monotonic_s()
            try:
                decision = self._command.decide(view, self._clock.now_ms())
            except Rejected:
                if view.fresh and not view.guessed:
                    raise
                return None
            if isinstance(decision, Noop) and not self._proven(decision, view):
                return None
            if self._clock.monotonic_s() - started_s <= MAX_DECISION_AGE_S:
                return decision
            self._check_time()

    def _proven(self, noop: Noop[R], view: View) -> bool:
        """Whether the view, or the transaction that records the operation, proves a Noop."""
        if noop.compares:
            return view.guessed <= {self._operation.key}
        return view.fresh and not view.guessed

    async def _read(self, more: set[bytes] | tuple[()]) -> View:
        reads: list[Read] = [*self._command.reads(), Key(self._operation.key)]
        known = {read.key for read in reads if isinstance(read, Key)}
        reads += [Key(key) for key in more if key not in known]
        view = View(fresh=True)
        view.learn(reads, await self._store.snapshot(reads))
        return view

    async def _read_more(self, view: View, reads: tuple[Read, ...]) -> View:
        """Add `reads` to `view`; a head that moved in between means reading all anew."""
        if self._command.plan is None:
            view.learn(reads, await self._store.snapshot(reads))
            return view
        head = keys.PlanKeys(self._command.plan).head
        asked = (Key(head), *reads[:120])
        snapshot = await self._store.snapshot(asked)
        before, now = view.get_or_guess_absent(head), snapshot.answers[0]
        if (before.mod_revision if before else 0) != (now[0].mod_revision if now else 0):
            return await self._read(())
        view.learn(asked, snapshot)
        return view

    async def _learn(self, view: View, txn: Txn, conflict: Conflict, fence: Fence) -> View:
        """After a conflict: the same view with the new values, or a fresh one."""
        held = conflict.present[fence.key]
        if held is None or held.create_revision != fence.create_revision:
            raise FencedOut("Another process leads now; nothing was written.")
        head = keys.PlanKeys(self._command.plan).head if self._command.plan else None
        for compare in txn.compares[1:]:
            present = conflict.present[compare.key]
            if isinstance(compare, Exists):
                if present is None:
                    where = compare.key.decode()
                    raise DigestMismatch(f"A record names {where}, but it is gone.", key=where)
                continue
            moved = compare.value != (present.mod_revision if present else 0)
            if moved and (head is None or compare.key == head):
                self._forget()
                await self._clock.sleep(_PAUSE_S if head is None else 0)
                return await self._read(())
            if moved and compare.target is Target.CREATE_REVISION:
                where = compare.key.decode()
                msg = f"{where} is stored already, although the plan's head ends before it."
                raise MalformedRecord(msg, key=where)
            view.put(compare.key, present)
        view.guessed.clear()
        return view

    def _forget(self) -> None:
        if self._warm is not None and self._command.plan is not None:
            self._warm.drop(self._command.plan)

    def _check_time(self) -> None:
        if self._clock.monotonic_s() >= self._deadline_s:
            msg = f"Operation {self._operation.name} found no moment to commit by its deadline."
            raise Contended(msg, op=self._operation.name)
