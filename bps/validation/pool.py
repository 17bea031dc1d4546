"""`ValidatorPool`: the way in. Runs the validators of a policy, whatever they do, to a report."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

from bps.core.errors import PluginError
from bps.validation.installation import Distributions, Installation
from bps.validation.job import Job
from bps.validation.lane import Lane
from bps.validation.limits import DEFAULT_LIMITS, Limits
from bps.validation.report import Allowed, CandidateText, ValidationReport, report_of

_MOST_WORKERS = 4
START_AGAIN_S = 1.0
"""After a worker was refused by the system, the others go on alone for so long."""
TOGETHER = 16
TOGETHER_S = 0.025
"""While candidates wait, up to so many reports are told at once, and none later than this: writes
that come together cost etcd a quarter less than one by one."""
_CLOSED = "The processes for validators were ended: this process ends."


def default_size() -> int:
    """A worker a core, less the one that the event loop needs; at most 4."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(_MOST_WORKERS, (cores or 1) - 1))


class ValidatorPool:
    """Worker processes that stay warm from one candidate to the next.

    Where candidates wait, reports are told some at a time: see `TOGETHER`.
    After any trouble a worker is thrown away, and what it was given and did not judge goes to
    another one. So is one that started before a distribution was installed, replaced or removed. A
    second worker is started only where candidates wait behind others.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, size: int | None = None) -> None:
        """At most `size` processes; None: `default_size`."""
        self._limits = limits
        self._size = default_size() if size is None else size
        self._queue: deque[Job] = deque()
        self._judged: list[Job] = []
        """Those whose reports are not told yet."""
        self._telling: asyncio.TimerHandle | None = None
        self._lanes: list[Lane] = []
        self._installation = Installation()
        self._seen: Distributions | None = None
        """What was installed when somebody looked in this turn of the event loop."""
        self._lives: set[asyncio.Task[None]] = set()
        self._closed = False
        self._no_start_before = 0.0

    @property
    def pids(self) -> list[int]:
        """The processes that can be given candidates."""
        return [lane.pid for lane in self._lanes if lane.ready]

    @property
    def installed(self) -> Distributions:
        """What a report holds for: see `Installation.seen`."""
        if self._seen is None:
            asyncio.get_running_loop().call_soon(self._forget_seen)
        self._seen = self._installation.seen()
        return self._seen

    async def __aenter__(self) -> Self:
        """Nothing starts before it is needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See `close`."""
        await self.close()

    async def close(self) -> None:
        """End all workers; who still waits for a report is told PluginError."""
        self._closed = True
        for lane in self._lanes:
            lane.stop()
        while self._lives:
            await asyncio.wait(self._lives)
        self._assign()

    def start_ahead(self) -> None:
        """Start the first worker, if there is none; the first run need not wait for it then."""
        self._retire_outdated()
        if all(lane.over.is_set() for lane in self._lanes) and not self._closed:
            self._start()

    async def run(
        self, candidate: CandidateText, allowed: Sequence[Allowed], deadline_s: float
    ) -> ValidationReport:
        """Judge `candidate` by all `allowed` validators, in the order of their names.

        Fails closed: one that is missing, crashes or hangs is a blocking finding in its name, and
        the others are asked all the same. Those that the deadline leaves no time for block too. It
        counts from the run's turn: no validator is to blame for the runs before it.

        Raises:
            InvalidBlueprint: a text is not YAML or no mapping.
            PluginError: no worker can be started, or it dies before any validator began.

        Cost: a process of 0.2-0.4 s at the first call and after trouble; then the validators' own
        time, 0.1 s a MiB of text that is new to the worker, and 1 ms. Cancelling it kills the
        worker that is at it.
        """
        if not allowed:
            return report_of([], [])
        job = Job(candidate, sorted(allowed, key=lambda each: each.name), deadline_s, self._limits)
        self._retire_outdated()
        self._queue.append(job)
        self._assign()
        try:
            return await job.report
        except asyncio.CancelledError:
            self._withdraw(job)
            raise

    def _retire_outdated(self) -> None:
        """A worker that is at a candidate ends after it; one that waits is ended now."""
        now = self._seen_this_turn()
        for lane in self._lanes:
            if lane.knows != now:
                lane.retire()

    def _seen_this_turn(self) -> Distributions:
        return self.installed if self._seen is None else self._seen

    def _forget_seen(self) -> None:
        self._seen = None

    def _assign(self) -> None:
        """Give what waits to workers, and start one where there are too few."""
        if self._closed:
            self._tell(now=True)
            self._refuse(PluginError(_CLOSED))
            return
        while self._queue:
            if self._queue[0].over:
                self._queue.popleft().finish()
                continue
            free = [lane for lane in self._lanes if lane.has_room]
            if not free:
                break
            min(free, key=lambda lane: lane.load).give(self._queue.popleft())
        ready = all(lane.ready for lane in self._lanes)
        self._tell()
        behind = bool(self._queue) or any(lane.keeps_waiting for lane in self._lanes)
        if behind and ready and self._may_start:
            self._start()

    def _tell(self, *, now: bool = False) -> None:
        """Tell the reports of those that were judged: several at once where others wait."""
        if self._judged and self._queue and len(self._judged) < TOGETHER and not now:
            if self._telling is None:
                loop = asyncio.get_running_loop()
                self._telling = loop.call_later(TOGETHER_S, partial(self._tell, now=True))
            return
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        for job in self._judged:
            job.finish()
        self._judged.clear()

    def _start(self) -> None:
        judged = self._judged.append
        lane = Lane(self._assign, self._wait_again, judged, self._seen_this_turn())
        self._lanes.append(lane)
        task = asyncio.create_task(self._life(lane))
        self._lives.add(task)
        task.add_done_callback(self._lives.discard)

    @property
    def _may_start(self) -> bool:
        """Whether one more worker is allowed, and not just refused beside others that go on."""
        refused = bool(self._lanes) and time.monotonic() < self._no_start_before
        return len(self._lanes) < self._size and not refused

    async def _life(self, lane: Lane) -> None:
        """One worker from its start to its end, and where its candidates go then."""
        try:
            await lane.start()
        except PluginError as error:
            self._not_started(lane, error)
            return
        await lane.over.wait()
        if lane.ready:
            self._lanes.remove(lane)
            self._queue.extendleft(reversed(lane.untouched()))
            self._assign()
        job, said = await lane.close()
        if job is not None:
            self._queue.appendleft(job)
        if not lane.ready:
            msg = f"The process for validators did not begin. {said}"
            self._not_started(lane, PluginError(msg))
        self._assign()

    def _not_started(self, lane: Lane, error: PluginError) -> None:
        """Go on with the workers that there are; without any, nobody can be judged."""
        self._lanes.remove(lane)
        if self._lanes:
            # What the system refuses now it would refuse with each candidate.
            self._no_start_before = time.monotonic() + START_AGAIN_S
            asyncio.get_running_loop().call_later(START_AGAIN_S, self._assign)
        else:
            self._refuse(error)

    def _refuse(self, error: PluginError) -> None:
        while self._queue:
            self._queue.popleft().fail(error)

    def _withdraw(self, job: Job) -> None:
        if job in self._queue:
            self._queue.remove(job)
        for lane in self._lanes:
            lane.forsake(job)

    def _wait_again(self, job: Job) -> None:
        """It waited longer than all that are in the queue."""
        self._queue.appendleft(job)
        self._assign()
