"""Who acts in a `Lab`, and what is remembered of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

from bps.core.errors import BpsError, OutcomeUnknown
from bps.leadership.election import Leadership
from bps.writepath.command import Command, Outcome
from bps.writepath.transact import WritePath
from tests.doubles.manual_clock import ManualClock
from tests.unit.machine.wire import Wire


class Step(NamedTuple):
    """What a script does: the name of a method of `Lab`, and its arguments."""

    act: str
    arguments: tuple[Any, ...] = ()


class SlotClock:
    """One host's clocks: its wall clock is stepped apart from the other's."""

    def __init__(self, shared: ManualClock) -> None:
        self._shared = shared
        self.wall_offset_ms = 0

    def now_ms(self) -> int:
        return self._shared.now_ms() + self.wall_offset_ms

    def monotonic_s(self) -> float:
        return self._shared.monotonic_s()

    async def sleep(self, delay_s: float) -> None:
        await self._shared.sleep(delay_s)


@dataclass(slots=True)
class Writer:
    """One term of one leader, also after it is over: a former one does not know."""

    at: int
    wire: Wire
    leadership: Leadership
    path: WritePath
    revoked: bool = False
    was_lost: bool = False


@dataclass(slots=True)
class Slot:
    """A host, and who leads or led on it last."""

    clock: SlotClock
    writer: Writer | None = None


@dataclass(slots=True)
class Call:
    """One execution of a command. The store was at `called` when it began."""

    writer: Writer
    command: Command[Any]
    called: int
    task: asyncio.Task[Outcome[Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told: an outcome or an error; the store was at `returned` by then."""

    command: Command[Any]
    called: int
    returned: int
    outcome: Outcome[Any] | None
    error: BaseException | None

    @property
    def name(self) -> str:
        """`principal/id`."""
        return self.command.operation.name


def told(call: Call, returned: int) -> Told:
    """What the caller of an execution that ended was told."""
    if call.task.cancelled():
        gone: BpsError = OutcomeUnknown("The caller went away.")
        return Told(call.command, call.called, returned, None, gone)
    error = call.task.exception()
    outcome = None if error is not None else call.task.result()
    return Told(call.command, call.called, returned, outcome, error)
