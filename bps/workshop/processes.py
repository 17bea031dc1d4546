"""Worker processes that stay warm; one that hangs, dies or fails is thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import pickle
import sys
import time
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import Callable
from typing import Any, TypeVar

from bps.core.errors import MergeTooLong, Overloaded, WorkFailed
from bps.workshop.worker import LENGTH

A = TypeVar("A")
T = TypeVar("T")

LANES = 2
"""A plan's writes follow each other, so that one plan's long merge leaves a lane to the others."""
_TAIL_BYTES = 2_048
_REMEMBERED_S = 30.0
"""Work stopped twice is not begun again for so long: it would hold up what others ask for.

Once may be the machine's fault: a process that was frozen, a starved core.
"""
_MOST_REMEMBERED = 256
_LIMIT = 64 * 1024 * 1024


class _Ended(Exception):
    """The worker's process is gone."""


class _Worker:
    """One process, and the pipes to it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._said = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls) -> _Worker:
        """Cost: 0.2-0.4 s until it answers. Raises WorkFailed: the system refuses a process."""
        # Our tokens and passwords are no business of a merge.
        environment = {name: v for name, v in os.environ.items() if not name.startswith("BPS_")}
        try:
            process = await create_subprocess_exec(
                *(sys.executable, "-P", "-m", "bps.workshop.worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=_LIMIT,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            msg = f"The process for merges cannot be started: {error.strerror}."
            raise WorkFailed(msg) from error
        return cls(process)

    async def ask(self, message: bytes) -> bytes:
        """One answer. Raises _Ended."""
        source, target = self._process.stdout, self._process.stdin
        # uvloop fails by no OSError where the process has gone while it was idle.
        if source is None or target is None or target.is_closing():
            raise _Ended
        try:
            target.write(LENGTH.pack(len(message)) + message)
            await target.drain()
            (length,) = LENGTH.unpack(await source.readexactly(LENGTH.size))
            return await source.readexactly(length)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise _Ended from error

    async def kill(self) -> str:
        """End it; the last line that it said."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._listening
        if self._process.stdin is not None:
            self._process.stdin.close()
        lines = self._said.decode(errors="backslashreplace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    async def _listen(self) -> None:
        """Read on, so that printing never holds a function up."""
        while self._process.stderr and (piece := await self._process.stderr.read(65_536)):
            self._said = (self._said + piece)[-_TAIL_BYTES:]


class Processes:
    """At most `size` processes; nothing starts before it is needed."""

    def __init__(
        self, *, size: int = LANES, limit_s: float = 4.0, most_waiting: int | None = None
    ) -> None:
        """`most_waiting`: so many wait for a process at most; who comes then is refused."""
        self._slots = asyncio.Semaphore(size)
        self._limit_s = limit_s
        self._most_waiting = most_waiting
        self._waiting = 0
        self._stopped: dict[bytes, list[float]] = {}
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._closed = asyncio.Event()

    async def run(self, function: Callable[[A], T], argument: A) -> T:
        """`function(argument)` in a process. Its answer must not depend on anything else.

        A process that was used before and is gone is replaced once: it may have died of age, and
        pure work can be done again.

        Raises:
            MergeTooLong: it took longer than `limit_s` twice in the last 30 s.
            WorkFailed: it took longer for the first time, or a fresh process died of it, or all of
                them were ended by `close`.
            Overloaded: too many wait.
        """
        message = pickle.dumps((function, argument))
        name = hashlib.sha256(message).digest()
        if len(self._lately_stopped(name)) > 1:
            raise self._too_long(again=True)
        if self._waiting == self._most_waiting:
            raise Overloaded(f"{self._waiting} others wait for what is asked for.", retry_after_s=1)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            answer: T = await self._done(message, name)
            return answer
        finally:
            self._slots.release()

    def _lately_stopped(self, name: bytes) -> list[float]:
        since = time.monotonic() - _REMEMBERED_S
        return [at for at in self._stopped.get(name, ()) if at > since]

    def _too_long(self, *, again: bool) -> MergeTooLong | WorkFailed:
        said = f"The merge took longer than {self._limit_s:g} s and was stopped"
        return MergeTooLong(f"{said}, twice.") if again else WorkFailed(f"{said}.")

    async def _done(self, message: bytes, name: bytes) -> Any:  # noqa: ANN401 - as the function
        while not self._closed.is_set():
            fresh = not self._idle
            worker = self._idle.pop() if self._idle else await _Worker.start()
            self._busy.add(worker)
            try:
                async with asyncio.timeout(self._limit_s):
                    answer = await worker.ask(message)
            except TimeoutError:
                await worker.kill()
                self._stopped[name] = [*self._lately_stopped(name), time.monotonic()]
                if len(self._stopped) > _MOST_REMEMBERED:
                    del self._stopped[next(iter(self._stopped))]
                raise self._too_long(again=len(self._stopped[name]) > 1) from None
            except _Ended:
                said = await worker.kill()
                if fresh and not self._closed.is_set():
                    msg = f"The process for merges ended: {said or 'it said nothing'}."
                    raise WorkFailed(msg) from None
            except BaseException:
                await worker.kill()
                raise
            else:
                if self._closed.is_set():
                    await worker.kill()
                else:
                    self._idle.append(worker)
                return pickle.loads(answer)  # noqa: S301 - our own child's
            finally:
                self._busy.discard(worker)
        raise WorkFailed("The processes for merges were ended: this process ends.")

    async def close(self) -> None:
        """End all processes, also those at work: who waits for them is told WorkFailed."""
        self._closed.set()
        for worker in [*self._idle, *self._busy]:
            await worker.kill()
        self._idle.clear()
