"""One worker and the candidates that it was given: it judges them one after the other."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from bps.core.errors import PluginError
from bps.validation.frames import TAKE_BACK
from bps.validation.installation import Distributions
from bps.validation.job import Job, Progress
from bps.validation.process import Worker

START_S = 30.0
"""A worker that is not ready by then is given up; a busy machine needs some seconds."""
_AHEAD = 1
"""Candidates given behind the present one, so that no worker waits for a busy event loop."""
_AHEAD_BYTES = 4 * 1_048_576
"""Nor is one given behind so much text."""
_SLOW_S = 0.05
"""Nobody is kept waiting behind a candidate that takes longer: another worker may be free."""
_UNWANTED_S = 0.4
"""What was taken back too late may take as long as a new process would."""


class _End(Enum):
    """Why a worker is used no more."""

    GONE = "it died, or said what it never says"
    LATE = "it takes too long"
    TAINTED = "a validator left it in a state that nobody knows"
    STOPPED = "nobody waits for what it does"
    OUTDATED = "what is installed is not what it knows"


class _TakenBack:
    """In the place of a candidate that was taken back: the worker skips it, or is at it."""

    def __init__(self, validators: int) -> None:
        self._left = validators
        self.late_at = 0.0
        """When a worker that is at it is ended, by `time.monotonic`."""

    def take_turn(self) -> None:
        """The worker has nothing else to do before it."""
        self.late_at = time.monotonic() + _UNWANTED_S

    def hear(self, message: dict[str, Any]) -> Progress:
        """Follow the worker; what it says of the candidate is not wanted."""
        if "skipped" in message or "refused" in message:
            return Progress.DONE
        if "done" in message:
            self._left -= 1
            if message["tainted"]:
                return Progress.TAINTED
        return Progress.GOES_ON if self._left else Progress.DONE


class Lane:
    """A worker, with the candidate that it is at and those that wait behind it.

    Only the first candidate can be to blame for what becomes of the worker. The others were not
    begun, and are judged by another worker.
    """

    def __init__(
        self,
        free: Callable[[], None],
        back: Callable[[Job], None],
        judged: Callable[[Job], None],
        knows: Distributions,
    ) -> None:
        """`free` is called when it can take more; `over` is set once it never will.

        `back` is given a candidate that waits here behind a slow one, `judged` one that is done.
        `knows` is what was installed before it starts.
        """
        self.knows = knows
        self.ready = False
        self.over = asyncio.Event()
        self._free = free
        self._back = back
        self._judged = judged
        self._jobs: deque[Job | _TakenBack] = deque()
        self._worker = Worker(self._hear, lambda: self._end(_End.GONE))
        self._used = False
        self._retired = False
        self._ended: _End | None = None
        self._took_s = 0.0
        self._turn_at = 0.0
        self._patience: asyncio.TimerHandle | None = None
        self._start_late_at = time.monotonic() + START_S
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._worker.pid

    @property
    def load(self) -> int:
        """Candidates that it has."""
        return len(self._jobs)

    @property
    def keeps_waiting(self) -> bool:
        """Whether a candidate waits behind the present one."""
        return any(isinstance(job, Job) for job in list(self._jobs)[1:])

    @property
    def has_room(self) -> bool:
        """Whether it can be given one more."""
        if not self.ready or self._retired or self._ended or len(self._jobs) > _AHEAD:
            return False
        if not self._jobs:
            return True
        first = self._jobs[0]
        short = not isinstance(first, Job) or first.text_bytes < _AHEAD_BYTES
        return short and time.monotonic() < self._turn_at + _SLOW_S

    async def start(self) -> None:
        """Start its process. Raises PluginError. Cost: see `Worker.start`."""
        await self._worker.start()
        self._watch()

    def give(self, job: Job) -> None:
        """One more, to be judged after the one that it has."""
        self._jobs.append(job)
        self._worker.send(job.message())
        if len(self._jobs) == 1:
            self._next_turn()
        else:
            wait_s = max(0.0, self._turn_at + _SLOW_S - time.monotonic())
            self._patience = asyncio.get_running_loop().call_later(wait_s, self._give_back)
        self._watch()

    def forsake(self, job: Job) -> None:
        """Nobody waits for `job` any more: a worker that is at it is ended."""
        if self._jobs and self._jobs[0] is job:
            self.stop()
        elif job in self._jobs:
            self._take_back(job)

    def stop(self) -> None:
        """End it now."""
        self._end(_End.STOPPED)

    def retire(self) -> None:
        """Give it nothing more; it ends once it has judged what it was given."""
        self._retired = True
        self._end_if_retired()

    def untouched(self) -> list[Job]:
        """Those that were not begun, taken out, once it has ended."""
        first = [self._jobs.popleft()] if self._jobs else []
        others = [job for job in self._jobs if isinstance(job, Job)]
        self._jobs = deque(first)
        return others

    async def close(self) -> tuple[Job | None, str]:
        """Kill the process; the candidate that it was at, told of this, and how it ended.

        The end is the fault of the validator that was at it. Where none was, a worker that was in
        use may have died of anything, and the candidate is judged anew.
        """
        said = await self._worker.kill()
        if not self._jobs:
            return None, said
        job = self._jobs.popleft()
        if not isinstance(job, Job):
            return None, said
        if self._ended not in {_End.TAINTED, _End.STOPPED}:
            if job.begun:
                job.ended_badly(self._took_s, said)
            elif self._ended is _End.LATE:
                job.give_up()
            elif not self._used:
                job.fail(PluginError(f"The process for validators did not begin. {said}"))
        return job, said

    def _hear(self, messages: Sequence[dict[str, Any]]) -> None:
        for message in messages:
            if self._ended:
                return
            self._follow(message)
        self._watch()

    def _follow(self, message: dict[str, Any]) -> None:
        if not self._jobs:
            self.ready = "ready" in message
            if not self.ready:
                self._end(_End.GONE)
            self._end_if_retired()
            self._free()
            return
        job = self._jobs[0]
        try:
            progress = job.hear(message)
        except (KeyError, TypeError, ValueError, IndexError):
            self._end(_End.GONE)
            return
        self._used = True
        if progress is Progress.TAINTED:
            self._end(_End.TAINTED)
        elif progress is Progress.DONE:
            self._jobs.popleft()
            if isinstance(job, Job):
                self._judged(job)
            self._next_turn()
            self._end_if_retired()
            self._free()

    def _next_turn(self) -> None:
        """The worker goes on with what waited, if there is any."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._turn_at = time.monotonic()
        if self._jobs:
            self._jobs[0].take_turn()

    def _give_back(self) -> None:
        """The present candidate is slow: the one behind it is for whoever is free first."""
        self._patience = None
        job = self._jobs[-1]
        if isinstance(job, Job):
            self._take_back(job)
            self._back(job)

    def _take_back(self, job: Job) -> None:
        """Have the worker skip `job`, which was sent last: it knows which one is meant."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._jobs[-1] = _TakenBack(len(job.waiting))
        if not self._ended:
            self._worker.send(TAKE_BACK)

    def _end_if_retired(self) -> None:
        """Not before it is ready: one that ends earlier was refused by the system."""
        if self._retired and self.ready and not self._jobs:
            self._end(_End.OUTDATED)

    def _end(self, why: _End) -> None:
        if self._ended is None:
            self._ended = why
            first = self._jobs[0] if self._jobs else None
            self._took_s = first.step_took_s if isinstance(first, Job) else 0.0
            for timer in (self._timer, self._patience):
                if timer is not None:
                    timer.cancel()
            self.over.set()

    def _watch(self) -> None:
        """See to it that the clock is looked at when the worker is late."""
        late_at = self._late_at
        if self._ended or late_at is None or (self._timer and self._timer_at <= late_at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = late_at
        wait_s = max(0.0, late_at - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._look)

    def _look(self) -> None:
        self._timer = None
        late_at = self._late_at
        if late_at is not None and time.monotonic() >= late_at:
            self._end(_End.LATE)
        self._watch()

    @property
    def _late_at(self) -> float | None:
        if self._jobs:
            return self._jobs[0].late_at
        return None if self.ready else self._start_late_at
