"""Two leaders of one store in virtual time, and what a script can do to them.

A step is a name and plain arguments, so that what a random run did can be written down as a script
and done again: on the memory store, or on a real cluster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bps.core import keys
from bps.core.errors import LeadershipError, Unavailable
from bps.core.ids import BranchRef, branch_id_of
from bps.core.ports import Key, Store
from bps.initiatives.create import CreateInitiative
from bps.leadership.election import Leadership
from bps.plans.blob import pack
from bps.plans.branches import OpenBranch, RebaseBranch, SubmitBranch
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.promotion.revert import Revert
from bps.setup.initialise import Initialise
from bps.writepath.command import Command
from bps.writepath.transact import WritePath
from tests.doubles import without_validators
from tests.doubles.inline_workshop import InlineWorkshop
from tests.doubles.manual_clock import ManualClock
from tests.unit.machine.parts import Call, Slot, SlotClock, Step, Told, Writer, told
from tests.unit.machine.wire import Fate, Post, Wire

PLANS = ("EP-1", "EP-2")
TTL_S = 10
_WHO = "tester"
_TURNS = 12
_IO_S = 0.001
_RETRY_S = 0.06
"""Longer than the pauses of the write path, shorter than those of a keepalive."""
_MAX_RETRIES = 1_000


@dataclass(slots=True)
class Lab:
    """Steps are its methods that begin without an underscore and return nothing."""

    store: Store
    clock: ManualClock
    post: Post = field(default_factory=Post)
    told: list[Told] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    """Operations whose records the store has dropped; a repetition would do them anew."""
    script: list[Step] = field(default_factory=list)
    writers: list[Writer] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    sent: list[Command[Any]] = field(default_factory=list)

    async def begin(self) -> None:
        """An initialised store, with a leader on host 0."""
        self.slots = [Slot(SlotClock(self.clock)) for _ in range(2)]
        await self.lead(0)
        await self._execute(0, Initialise(_WHO, "init"), ())
        await without_validators(self.store)
        await self._execute(0, CreateInitiative(_WHO, "initiative", "initiative"), ())

    async def do(self, step: Step) -> None:
        """One step, and all that follows from it without time passing."""
        self.script.append(step)
        await getattr(self, step.act)(*step.arguments)
        await self._finish_calls()

    async def end(self) -> None:
        """Everything that is under way arrives; nobody leads any more."""
        for writer in self.writers:
            writer.wire.cut = False
            writer.wire.go_on()
        await self._finish_calls()
        while self.post.letters:
            await self.post.deliver(0)
        await self._pass_time(30)
        await self._finish_calls()
        for writer in self.writers:
            await writer.leadership.resign()

    # Commands: on which host, in which plan, of which root cause, and what their writes meet.

    async def register(self, at: int, plan: int, content: str, fates: Sequence[str] = ()) -> None:
        blob = pack(content.encode())
        new = RegisterPlan(_WHO, self._op(), PLANS[plan], "initiative", "title", blob)
        await self._execute(at, new, fates)

    async def open(self, at: int, plan: int, cause: int, fates: Sequence[str] = ()) -> None:
        command = OpenBranch(_WHO, self._op(), PLANS[plan], f"T{cause}", f"F{cause}")
        await self._execute(at, command, fates)

    async def submit(
        self, at: int, plan: int, cause: int, content: str, fates: Sequence[str] = ()
    ) -> None:
        blob = pack(content.encode())
        await self._execute(
            at, SubmitBranch(_WHO, self._op(), PLANS[plan], _branch(cause), blob), fates
        )

    async def rebase(self, at: int, plan: int, cause: int, fates: Sequence[str] = ()) -> None:
        command = RebaseBranch(_WHO, self._op(), PLANS[plan], _branch(cause))
        await self._execute(at, command, fates)

    async def promote(
        self, at: int, plan: int, causes: Sequence[int], fates: Sequence[str] = ()
    ) -> None:
        refs = tuple(map(_branch, causes))
        await self._execute(at, Promote(_WHO, self._op(), PLANS[plan], refs), fates)

    async def revert(self, at: int, plan: int, to: int, fates: Sequence[str] = ()) -> None:
        await self._execute(at, Revert(_WHO, self._op(), PLANS[plan], to, "why"), fates)

    async def repeat(self, at: int, which: int, fates: Sequence[str] = ()) -> None:
        """An earlier command once more, under its own operation id."""
        command = self.sent[which % len(self.sent)]
        if command.operation.name not in self.forgotten:
            await self._execute(at, command, fates)

    # Leaders.

    async def lead(self, at: int) -> None:
        """Host `at` gives its own term up and campaigns anew; in vain where the other leads."""
        slot = self.slots[at]
        if slot.writer is not None:
            await slot.writer.leadership.resign()
            slot.writer = None
        wire = Wire(self.store, self.post)
        leadership = Leadership(wire, slot.clock, f"host-{at}", ttl_s=TTL_S)
        try:
            await leadership.campaign(0)
        except (LeadershipError, Unavailable):
            return
        wire.fence = leadership.fence().create_revision
        path = WritePath(wire, leadership, slot.clock, workshop=InlineWorkshop())
        slot.writer = Writer(at, wire, leadership, path)
        self.writers.append(slot.writer)

    async def revoke_lease(self, at: int) -> None:
        """The store drops the leader's lease before its time."""
        writer = self.slots[at].writer
        if writer is not None and writer.leadership._lease is not None:
            writer.revoked = True
            await self.store.lease_revoke(writer.leadership._lease.lease_id)

    async def usurp(self, at: int) -> None:
        """The other leader's lease is dropped, and this host leads; the other does not know."""
        await self.revoke_lease(1 - at)
        await self.lead(at)

    async def cut(self, at: int) -> None:
        """Nothing reaches the store from there any more."""
        if writer := self.slots[at].writer:
            writer.wire.cut = True

    async def heal(self, at: int) -> None:
        if writer := self.slots[at].writer:
            writer.wire.cut = False

    async def hold_keepalives(self, at: int) -> None:
        """The store renews the lease, but its answers are not read until `go_on`."""
        if writer := self.slots[at].writer:
            writer.wire.holds_keepalives = True

    async def go_on(self, at: int) -> None:
        """A leader that stood still goes on."""
        for writer in self.writers:
            if writer.at == at:
                writer.wire.go_on()

    async def cancel(self, at: int) -> None:
        """Callers go away while their commands stand still."""
        for call in self.calls:
            if call.writer.at == at:
                call.task.cancel()

    # The network and the clocks.

    async def deliver(self, which: int) -> None:
        """A late transaction arrives."""
        await self.post.deliver(which)

    async def drop_ops_lease(self) -> None:
        """The lease of the operation records ends, and they with it, while nothing is in doubt."""
        if self.calls or self.post.letters:
            return
        stored = await self.store.page(keys.OPS_LEASE, keys.OPS_LEASE + b"\0", limit=1)
        if stored.kvs:
            self.forgotten.update(command.operation.name for command in self.sent)
            await self.store.lease_revoke(stored.kvs[0].lease_id)

    async def time(self, by_s: float) -> None:
        await self._pass_time(by_s)

    async def step_wall_clock(self, at: int, by_ms: int) -> None:
        self.slots[at].clock.wall_offset_ms += by_ms

    # How steps are carried out.

    def _op(self) -> str:
        return f"op-{len(self.sent)}"

    async def _execute(self, at: int, command: Command[Any], fates: Sequence[str]) -> None:
        if command not in self.sent:
            self.sent.append(command)
        writer = self.slots[at].writer
        if writer is None:
            return
        writer.wire.fates.extend(map(Fate, fates))
        called = await self._revision()
        task = asyncio.create_task(writer.path.execute(command))
        self.calls.append(Call(writer, command, called, task))
        await self._finish_calls()
        if not writer.wire.holds:
            writer.wire.fates.clear()

    async def _finish_calls(self) -> None:
        """Let calls run to their end, or to where they are held."""
        await self._quiesce()
        for _ in range(_MAX_RETRIES):
            if not self.calls or all(call.task.done() for call in self.calls):
                break
            next_s = self._next_sleeper_s()
            if next_s is None or next_s > _RETRY_S:
                break
            await self.clock.advance(next_s)
            await self._quiesce()
        else:
            raise AssertionError("a command neither ends nor waits")
        returned = await self._revision()
        for call in [call for call in self.calls if call.task.done()]:
            self.calls.remove(call)
            self.told.append(told(call, returned))

    async def _pass_time(self, by_s: float) -> None:
        left_s = by_s
        while (next_s := self._next_sleeper_s()) is not None and next_s <= left_s:
            left_s -= next_s
            await self.clock.advance(next_s)
            await self._quiesce()
        await self.clock.advance(left_s)
        await self._quiesce()

    def _next_sleeper_s(self) -> float | None:
        """In how long the next sleeper wakes."""
        if not self.clock._sleepers:
            return None
        return max(0.0, self.clock._sleepers[0][0] - self.clock.monotonic_s())

    async def _quiesce(self) -> None:
        """Until nothing is between a leader and the store, and every task waits."""
        quiet = 0
        while quiet < _TURNS:
            busy = any(writer.wire.in_flight for writer in self.writers)
            await asyncio.sleep(_IO_S if busy else 0)
            quiet = 0 if busy else quiet + 1

    async def _revision(self) -> int:
        return (await self.store.snapshot([Key(keys.LEADER_HOLDER)])).revision


def _branch(cause: int) -> BranchRef:
    return BranchRef(branch_id_of(f"T{cause}"), None)
