"""`ValidatorPool`: the way in. Runs the validators of a policy, whatever they do, to a report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bps.core.errors import InvalidBlueprint, PluginError
from bps.validation.job import Job
from bps.validation.limits import DEFAULT_LIMITS, Limits
from bps.validation.process import Worker, WorkerEnded
from bps.validation.report import Allowed, CandidateText, ValidationReport, report_of

_GRACE_S = 0.5
"""For the worker's own watchdog to say where a validator hangs, before it is killed from here."""


class ValidatorPool:
    """Worker processes that stay warm from one candidate to the next.

    After any trouble its worker is thrown away, and the validators that are left get a new one.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, *, size: int = 1) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Worker] = []
        self._closed = False

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
        """End the idle workers; a run that is under way ends its own."""
        self._closed = True
        while self._idle:
            await self._idle.pop().kill()

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
        time, 0.1 s a MiB of text, and 1 ms. Cancelling it kills the worker.
        """
        if not allowed:
            return report_of([], [])
        async with self._slots:
            job = Job(candidate, sorted(allowed, key=lambda each: each.name), deadline_s)
            while job.waiting:
                if job.left_s <= 0:
                    job.give_up()
                    break
                await self._advance(job)
        return report_of(job.findings, job.runs)

    async def _advance(self, job: Job) -> None:
        """Give the validators that are left to one worker, until it is done or dies."""
        worker = await self._worker()
        fresh, keep = not worker.used, False
        try:
            keep = await self._converse(worker, job, fresh=fresh)
        finally:
            if keep and worker.alive and not self._closed:
                self._idle.append(worker)
            else:
                await worker.kill()

    async def _worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await worker.kill()
        return await Worker.start()

    async def _converse(self, worker: Worker, job: Job, *, fresh: bool) -> bool:
        """Whether the worker can be used again."""
        try:
            await worker.send(job.message(self._limits))
            answer = await worker.receive(max(job.left_s, 0))
        except TimeoutError:
            job.give_up()
            return False
        except WorkerEnded as error:
            said = await worker.kill()
            if not fresh:
                return False
            raise PluginError(f"The process for validators did not begin. {said}") from error
        if "refused" in answer:
            raise InvalidBlueprint(answer["refused"], **answer["facts"])
        while job.waiting:
            if not await self._one(worker, job):
                return False
        return True

    async def _one(self, worker: Worker, job: Job) -> bool:
        """Follow one validator; whether the worker can go on."""
        names = {"distribution": "", "version": ""}
        began, limit_s = time.monotonic(), max(0.0, job.left_s)
        try:
            started = await worker.receive(_GRACE_S + limit_s)
            names = {name: started[name] for name in names}
            began, limit_s = time.monotonic(), max(0.0, min(self._limits.time_s, job.left_s))
            done = await worker.receive(_GRACE_S + limit_s)
        except (WorkerEnded, TimeoutError, KeyError):
            took_s = time.monotonic() - began
            job.ended_badly(names, took_s, limit_s, await worker.kill())
            return False
        job.answered(names, time.monotonic() - began, done)
        return not done["tainted"]
