"""The line with real waiters: cancelled ones leave it, late ones are told, turns are never lost."""

from __future__ import annotations

import asyncio

import pytest

from bps.core.errors import OperationInFlight, Overloaded
from bps.core.ids import SERVICE_PRINCIPAL
from bps.sidecar.write_queue import WriteQueue
from bps.writepath.admission import Bounds
from bps.writepath.command import OperationId
from tests.asynchronous import asynchronous
from tests.doubles.manual_clock import ManualClock


class Writes:
    """Writes that run until they are let go; `began` names them in the order of their turns."""

    def __init__(self, *, in_flight: int = 1, waiting: int = 8) -> None:
        self.clock = ManualClock()
        self.queue = WriteQueue(self.clock, Bounds(in_flight, waiting))
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def start(
        self, op_id: str, principal: str = "a", deadline_s: float | None = None
    ) -> asyncio.Task[None]:
        self._ends[op_id] = asyncio.Event()
        task = asyncio.create_task(self._write(OperationId(principal, op_id, ""), deadline_s))
        await _settled()
        return task

    async def end(self, op_id: str) -> None:
        self._ends[op_id].set()
        await _settled()

    async def _write(self, operation: OperationId, deadline_s: float | None) -> None:
        async with self.queue.turn(operation, deadline_s):
            self.began.append(operation.op_id)
            await self._ends[operation.op_id].wait()


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynchronous
async def test_turns_come_in_order() -> None:
    writes = Writes()
    tasks = [await writes.start(name) for name in "123"]
    assert writes.began == ["1"]
    for name in "123":
        await writes.end(name)
    await asyncio.gather(*tasks)
    assert writes.began == ["1", "2", "3"]
    assert writes.queue.under_way == writes.queue.waiting == 0


@asynchronous
async def test_an_operation_that_waits_is_under_way() -> None:
    writes = Writes()
    await writes.start("1")
    await writes.start("2")
    with pytest.raises(OperationInFlight):
        await (await writes.start("2"))
    assert writes.queue.under_way == 2


@asynchronous
async def test_who_goes_away_while_waiting_leaves_the_line() -> None:
    writes = Writes()
    await writes.start("1")
    gone, last = await writes.start("2"), await writes.start("3")
    gone.cancel()
    await _settled()
    assert writes.queue.waiting == 1
    await writes.end("1")
    await writes.end("3")
    await last
    assert writes.began == ["1", "3"]


@pytest.mark.parametrize("cancelled_first", [True, False])
@asynchronous
async def test_who_goes_away_as_its_turn_comes_hands_it_on(cancelled_first: bool) -> None:
    writes = Writes()
    await writes.start("1")
    gone, last = await writes.start("2"), await writes.start("3")
    # Both happen before the waiter runs again.
    if cancelled_first:
        gone.cancel()
        writes.queue._end(0.0)
    else:
        writes.queue._end(0.0)
        gone.cancel()
    await _settled()
    assert writes.began == ["1", "3"]
    await writes.end("3")
    await last


@asynchronous
async def test_who_is_too_late_is_told_and_never_begins() -> None:
    writes = Writes()
    await writes.start("1")
    late = await writes.start("2", deadline_s=3.0)
    writes.clock.move(5.0)
    await writes.end("1")
    with pytest.raises(Overloaded, match="deadline"):
        await late
    assert writes.began == ["1"]
    assert writes.queue.under_way == 0


@asynchronous
async def test_who_waits_behind_writes_that_hang_is_told_at_its_deadline() -> None:
    writes = Writes()
    await writes.start("1")
    late, last = await writes.start("2", deadline_s=0.05), await writes.start("3")
    with pytest.raises(Overloaded, match="deadline"):
        await asyncio.wait_for(late, timeout=10)
    assert (writes.queue.under_way, writes.queue.waiting) == (2, 1)
    await writes.end("1")
    assert writes.began == ["1", "3"]
    await writes.end("3")
    await last


@asynchronous
async def test_the_early_check_says_what_arriving_would() -> None:
    writes = Writes(waiting=2)
    writes.queue.refuse_if_full("a", 1.0)
    await writes.start("1")
    await writes.start("2")
    with pytest.raises(Overloaded, match="share"):
        writes.queue.refuse_if_full("a", 1.0)
    writes.queue.refuse_if_full("b", 1.0)


@asynchronous
async def test_the_service_itself_does_not_wait() -> None:
    writes = Writes(waiting=1)
    await writes.start("1")
    await writes.start("2", "b")
    await writes.start("checkpoint", SERVICE_PRINCIPAL)
    assert writes.began == ["1", "checkpoint"]
