"""The line of writes of one sidecar: `bps.writepath.admission` with waiters and a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bps.core.errors import OperationInFlight
from bps.core.ids import SERVICE_PRINCIPAL
from bps.core.ports import Clock
from bps.writepath.admission import Bounds, Line, Place
from bps.writepath.command import OperationId

DEFAULT_TIMEOUT_S = 10.0
"""How long a write may take, waiting included, where its caller does not say."""


class WriteQueue:
    """Ask `refuse_if_full` early; write inside `turn`.

    The service's own writes (checkpoints, keys) do not wait: they are few, one at a time, and what
    is written under load is to be covered by them.
    """

    def __init__(self, clock: Clock, bounds: Bounds) -> None:
        self._clock = clock
        self._line = Line(bounds)
        self._waiters: dict[Place, asyncio.Future[None]] = {}
        self._under_way: set[bytes] = set()

    @property
    def under_way(self) -> int:
        """How many writes run or wait, the service's own included."""
        return len(self._under_way)

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return self._line.waiting

    def refuse_if_full(self, principal: str, deadline_s: float) -> None:
        """Refuse a write that `turn` would refuse, before more is done for it.

        Cost: about 1 us. Raises Overloaded.
        """
        self._line.check(principal, self._clock.monotonic_s(), deadline_s)

    @asynccontextmanager
    async def turn(self, operation: OperationId, deadline_s: float | None) -> AsyncIterator[None]:
        """Wait for a turn and hold it; `deadline_s` is an instant of the monotonic clock.

        Raises:
            OperationInFlight: the same operation runs or waits already.
            Overloaded: the write cannot make its deadline; it was not begun.
        """
        if operation.key in self._under_way:
            msg = f"Operation {operation.op_id} is being carried out now."
            raise OperationInFlight(msg, op=operation.name)
        self._under_way.add(operation.key)
        try:
            if operation.principal == SERVICE_PRINCIPAL:
                yield
                return
            await self._begin(operation.principal, deadline_s)
            begun_s = self._clock.monotonic_s()
            try:
                yield
            finally:
                self._end(self._clock.monotonic_s() - begun_s)
        finally:
            self._under_way.discard(operation.key)

    async def _begin(self, principal: str, deadline_s: float | None) -> None:
        now_s = self._clock.monotonic_s()
        place = Place(principal, now_s + DEFAULT_TIMEOUT_S if deadline_s is None else deadline_s)
        if self._line.arrive(place, now_s):
            return
        try:
            async with asyncio.timeout(place.deadline_s - now_s):
                await self._turn_of(place)
        except TimeoutError:
            # Writes that run may all hang: nobody waits for their end longer than he wants to.
            late = "The deadline passed before the write was begun."
            raise self._line.overloaded(late) from None

    async def _turn_of(self, place: Place) -> None:
        """Wait for it; who is cancelled leaves the line."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[place] = waiter
        try:
            await waiter
        except asyncio.CancelledError:
            if self._waiters.pop(place, None) is not None:
                self._line.gave_up(place)
            elif not waiter.cancelled() and waiter.exception() is None:
                # Its turn came in the same moment: it goes to the next one.
                self._end(self._line.service_s)
            raise

    def _end(self, took_s: float) -> None:
        turn = self._line.ended(self._clock.monotonic_s(), took_s)
        for place in turn.late:
            waiter = self._waiters.pop(place)
            if not waiter.cancelled():
                late = "The deadline would pass before the write is done."
                waiter.set_exception(self._line.overloaded(late))
        for place in turn.started:
            waiter = self._waiters.pop(place)
            if waiter.cancelled():
                self._end(self._line.service_s)
            else:
                waiter.set_result(None)
