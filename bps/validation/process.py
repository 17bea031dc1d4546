"""The pool's end of one worker: start it, talk to it, kill it and what it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process, create_subprocess_exec
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bps.core.errors import PluginError
from bps.validation.frames import (
    HEADER_BYTES,
    MARK,
    MAX_ANSWER_BYTES,
    body_bytes,
    messages_of,
)

_TAIL_BYTES = 8_192
_SHOWN_LINES = 6
_LAST_WORDS_S = 1.0
_REST_S = 0.02
"""Nobody reads what is printed for so long after a validator printed nothing until it was read."""
_HANGS = "Timeout ("
"""How faulthandler begins to say where a process hangs; the innermost call comes first."""
_Hear = Callable[[Sequence[dict[str, Any]]], None]


class Worker:
    """A running worker process, in a session of its own.

    What it says at once is handed to `hear`, in order; `ended` is called once, when it can say no
    more: it is gone, or said what it never says.
    """

    def __init__(self, hear: _Hear, ended: Callable[[], None]) -> None:
        self._hear = hear
        self._ended = ended
        self._process: Process | None = None
        self._talk: asyncio.Transport | None = None
        self._listening: asyncio.ReadTransport | None = None
        self._printed = _Printed()
        self._words: str | None = None

    async def start(self) -> None:
        """A new process. Raises PluginError: the system refuses it. Cost: 0.2-0.4 s to be ready."""
        with contextlib.ExitStack() as opened:
            try:
                await self._open(opened)
            except (OSError, RuntimeError) as error:
                await self.kill()
                reason = error.strerror if isinstance(error, OSError) else error
                msg = f"The process for validators cannot be started: {reason}."
                raise PluginError(msg) from error
            opened.pop_all()

    async def _open(self, opened: contextlib.ExitStack) -> None:
        """Start and connect it; `opened` closes this end where that fails.

        Raises:
            OSError: the system refuses a descriptor or the process.
            RuntimeError: it refuses the thread that waits for the process.
        """
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as handed:
            ours, theirs = socket.socketpair()
            opened.enter_context(ours)
            handed.enter_context(theirs)
            heard, printing = os.pipe()
            output = opened.enter_context(os.fdopen(heard, "rb", buffering=0))
            handed.callback(os.close, printing)
            command = [sys.executable, "-P", "-u", "-X", "faulthandler"]
            self._process = await create_subprocess_exec(
                *command,
                "-m",
                "bps.validation.worker",
                str(theirs.fileno()),
                stdin=DEVNULL,
                stdout=printing,
                stderr=STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                # Our tokens and passwords are no business of plugins.
                env={name: v for name, v in os.environ.items() if not name.startswith("BPS_")},
            )
        ours.setblocking(False)  # noqa: FBT003 - socket's own
        self._listening, _ = await loop.connect_read_pipe(lambda: self._printed, output)
        self._talk, _ = await loop.create_connection(
            lambda: _Talk(self._hear, self._ended), sock=ours
        )

    @property
    def pid(self) -> int:
        """Its process id; 0 before it is started."""
        return 0 if self._process is None else self._process.pid

    def send(self, message: bytes) -> None:
        """Give it a framed message. Where it is gone already, `ended` tells."""
        if self._talk is not None:
            self._talk.write(message)

    async def kill(self) -> str:
        """End it and its own children; how it ended, and what the last validator printed."""
        if self._words is not None or self._process is None:
            return self._words or ""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._talk is not None:
            self._talk.abort()
        code = await self._process.wait()
        if self._listening is not None:
            self._printed.go_on()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._printed.over.wait(), _LAST_WORDS_S)
            self._listening.close()
        self._words = _words(code, self._printed.text)
        return self._words


class _Talk(asyncio.Protocol):
    """Frames out of what arrives; a callback a frame, as there are some for each candidate."""

    def __init__(self, hear: _Hear, ended: Callable[[], None]) -> None:
        self._hear = hear
        self._ended = ended
        self._unread = bytearray()
        self._over = False

    def data_received(self, data: bytes) -> None:
        """Hand on what is whole."""
        self._unread += data
        try:
            for messages in self._frames():
                self._hear(messages)
        except ValueError:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """It is gone, or was ended from here."""
        self._end()

    def _frames(self) -> Iterator[list[dict[str, Any]]]:
        """Raises ValueError: it said what a worker never says."""
        while not self._over and len(self._unread) >= HEADER_BYTES:
            end = HEADER_BYTES + body_bytes(bytes(self._unread[:HEADER_BYTES]))
            if end > MAX_ANSWER_BYTES:
                msg = "too long to be believed"
                raise ValueError(msg)
            if len(self._unread) < end:
                return
            body = bytes(self._unread[HEADER_BYTES:end])
            del self._unread[:end]
            yield messages_of(body)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._ended()


class _Printed(asyncio.Protocol):
    """What is printed, read on whatever it is, so that printing never holds a validator up.

    Where nothing but marks was read it rests a little, as there are some marks a candidate: who
    fills the pipe right then waits that long, once.
    """

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._kept = b""
        self._pipe: asyncio.ReadTransport | None = None
        self._rest: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pipe is read from now on."""
        if isinstance(transport, asyncio.ReadTransport):
            self._pipe = transport

    @property
    def text(self) -> str:
        """The last of what the last validator printed."""
        return self._kept.rpartition(MARK)[2].decode(errors="backslashreplace")

    def data_received(self, data: bytes) -> None:
        """Keep the tail, or where it hangs."""
        printed = self._kept + data
        kept = printed[max(printed.rfind(MARK), 0) :]
        hangs = kept.find(_HANGS.encode())
        self._kept = kept[hangs:][:_TAIL_BYTES] if hangs >= 0 else kept[-_TAIL_BYTES:]
        if kept == MARK and self._pipe is not None:
            self._pipe.pause_reading()
            self._rest = asyncio.get_running_loop().call_later(_REST_S, self.go_on)

    def go_on(self) -> None:
        """Read on now."""
        if self._rest is not None and self._pipe is not None:
            self._rest.cancel()
            self._rest = None
            self._pipe.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """All that could print are gone."""
        self._pipe = None
        self.over.set()


def _words(code: int, printed: str) -> str:
    """For a person: how a process ended, with the lines that tell the most."""
    lines = [line.strip() for line in printed.split("\n") if line.strip()]
    at = next((n for n, line in enumerate(lines) if line.startswith(_HANGS)), None)
    shown = lines[-_SHOWN_LINES:] if at is None else lines[at : at + _SHOWN_LINES]
    ended = f"exit code {code}"
    if code < 0:
        ended = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"The process ended by {ended}." + (f" Last lines: {' | '.join(shown)}" if shown else "")
