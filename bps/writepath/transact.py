"""The write path of one leader: every write goes through it, in the order of its plan.

Each command runs as an `Execution`: one etcd round trip undisturbed where the plan is warm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from bps.core.codec import Record
from bps.core.errors import Overloaded
from bps.core.ports import Clock, Store
from bps.core.txn import Compare
from bps.writepath.command import Command, Outcome, WriteAuthority, check_refusal
from bps.writepath.execution import Execution
from bps.writepath.prepare import InThreads, Preparations, Workshop
from bps.writepath.warm import WarmPlans

R = TypeVar("R", bound=Record)


class WritePath:
    """Executes commands for one leader. Commands on one plan queue; others run side by side."""

    def __init__(
        self,
        store: Store,
        authority: WriteAuthority,
        clock: Clock,
        *,
        deadline_s: float = 5.0,
        witness: Callable[[], Compare | None] = lambda: None,
        workshop: Workshop | None = None,
    ) -> None:
        """`witness` is a condition that only a store that was rolled back does not meet.

        Heavy work is done in `workshop`, or in threads of this process where there is none.
        """
        self._store = store
        self._authority = authority
        self._clock = clock
        self._deadline_s = deadline_s
        self._witness = witness
        self._preparations = Preparations(store, workshop or InThreads())
        self._warm = WarmPlans()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def execute(
        self,
        command: Command[R],
        *,
        deadline_s: float | None = None,
        told: Callable[[Outcome[R]], None] = lambda _: None,
    ) -> Outcome[R]:
        """Run one command to its end, by the caller's `deadline_s` where that is nearer.

        `told` is given the outcome, also where that is a refusal to be raised. The deadline is an
        instant of the monotonic clock. A write that was sent is not given up before its
        request has an answer or its own deadline (at most 4 s); its settlement is.

        Raises:
            Rejected: the state, read freshly, does not allow it; or a review was opened instead.
            WorkFailed, MergeTooLong: a merge took too long; nothing was written.
            IdempotencyKeyReused: the operation id was used with another request.
            OutcomeUnknown: sent, and no answer until the deadline; repeat with the same id.
            Contended: other writers won until the deadline.
            Overloaded: the caller's deadline passed before it was begun.
            NotLeader, LeaseLost, FencedOut: this process may not write; nothing was written.
            StoreRolledBack: the store lacks what the witness saw; nothing was written.
            Unavailable: the store does not answer; nothing was written.
        """
        outcome = await self._execute(command, deadline_s)
        told(outcome)
        check_refusal(outcome.result)
        return outcome

    async def _execute(self, command: Command[R], deadline_s: float | None) -> Outcome[R]:
        if command.plan is None:
            return await self._execution(command, None).run(self._deadline_s, deadline_s)
        queue = self._queues.setdefault(command.plan, asyncio.Lock())
        await self._acquire(queue, deadline_s)
        try:
            return await self._execution(command, self._warm).run(self._deadline_s, deadline_s)
        finally:
            queue.release()

    async def _acquire(self, queue: asyncio.Lock, deadline_s: float | None) -> None:
        """Wait for the writes of the same plan that came before, not beyond the deadline."""
        left_s = None if deadline_s is None else deadline_s - self._clock.monotonic_s()
        try:
            async with asyncio.timeout(left_s if queue.locked() else None):
                await queue.acquire()
        except TimeoutError:
            msg = (
                "The deadline passed while other writes of this plan went on. Nothing was written."
            )
            raise Overloaded(msg) from None

    def _execution(self, command: Command[R], warm: WarmPlans | None) -> Execution[R]:
        return Execution(
            self._store,
            self._authority,
            self._clock,
            warm,
            command,
            witness=self._witness,
            preparations=self._preparations,
        )
