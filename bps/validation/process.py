"""The pool's end of one worker: start it, talk to it, kill it and what it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process, create_subprocess_exec
from typing import Any

from bps.core.errors import PluginError
from bps.validation.frames import (
    HEADER_BYTES,
    MARK,
    MAX_ANSWER_BYTES,
    body_bytes,
    frame,
    message_of,
)

_TAIL_BYTES = 8_192
_SHOWN_LINES = 6
_LAST_WORDS_S = 1.0
_HANGS = "Timeout ("
"""How faulthandler begins to say where a process hangs; the innermost call comes first."""


class WorkerEnded(Exception):
    """The worker is gone, or said what it never says."""


class Worker:
    """A running worker process, in a session of its own."""

    def __init__(
        self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.used = False
        self._process = process
        self._reader = reader
        self._writer = writer
        self._printed = b""
        self._words: str | None = None
        self._draining = asyncio.create_task(self._drain())

    @classmethod
    async def start(cls) -> Worker:
        """A new process. Raises PluginError: the system refuses it. Cost: 0.2-0.4 s to be ready."""
        ours, theirs = socket.socketpair()
        try:
            command = [sys.executable, "-P", "-u", "-X", "faulthandler"]
            process = await create_subprocess_exec(
                *command,
                "-m",
                "bps.validation.worker",
                str(theirs.fileno()),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                # Our tokens and passwords are no business of plugins.
                env={name: v for name, v in os.environ.items() if not name.startswith("BPS_")},
            )
            reader, writer = await asyncio.open_connection(sock=ours)
        except OSError as error:
            ours.close()
            msg = f"The process for validators cannot be started: {error.strerror}."
            raise PluginError(msg) from error
        finally:
            theirs.close()
        return cls(process, reader, writer)

    @property
    def alive(self) -> bool:
        """Whether it can take a job, as far as is known."""
        return self._process.returncode is None and not self._reader.at_eof()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def send(self, message: dict[str, Any]) -> None:
        """Give it a job. Raises WorkerEnded."""
        self.used = True
        try:
            self._writer.write(frame(message))
            await self._writer.drain()
        except OSError as error:
            raise WorkerEnded from error

    async def receive(self, wait_s: float) -> dict[str, Any]:
        """Its next answer. Raises WorkerEnded, TimeoutError."""
        async with asyncio.timeout(wait_s):
            try:
                length = body_bytes(await self._reader.readexactly(HEADER_BYTES))
                if length > MAX_ANSWER_BYTES:
                    raise WorkerEnded
                return message_of(await self._reader.readexactly(length))
            except (asyncio.IncompleteReadError, OSError, ValueError) as error:
                raise WorkerEnded from error

    async def kill(self) -> str:
        """End it and its own children; how it ended, and what the last validator printed."""
        if self._words is not None:
            return self._words
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._writer.close()
        code = await self._process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._draining, _LAST_WORDS_S)
        printed = self._printed.rpartition(MARK)[2].decode(errors="backslashreplace")
        self._words = _words(code, printed)
        return self._words

    async def _drain(self) -> None:
        """Read on, whatever is printed, so that printing never holds a validator up."""
        output = self._process.stdout
        while output is not None and (piece := await output.read(65_536)):
            printed = self._printed + piece
            begin = max(printed.rfind(MARK), 0)
            kept = printed[begin:]
            hangs = kept.find(_HANGS.encode())
            self._printed = kept[hangs:][:_TAIL_BYTES] if hangs >= 0 else kept[-_TAIL_BYTES:]


def _words(code: int, printed: str) -> str:
    """For a person: how a process ended, with the lines that tell the most."""
    lines = [line.strip() for line in printed.split("\n") if line.strip()]
    at = next((n for n, line in enumerate(lines) if line.startswith(_HANGS)), None)
    shown = lines[-_SHOWN_LINES:] if at is None else lines[at : at + _SHOWN_LINES]
    ended = f"exit code {code}"
    if code < 0:
        ended = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"The process ended by {ended}." + (f" Last lines: {' | '.join(shown)}" if shown else "")
