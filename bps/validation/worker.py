"""The process in which validators run: `python -P -m bps.validation.worker DESCRIPTOR`.

It answers over its own socket; what validators print goes to another pipe, so that no print can
harm the talk. It ends when the pool goes away (the socket's end) or when a validator hangs, by its
watchdog.

Memory: `RLIMIT_DATA` counts what a process really may write (heap and private mappings, also those
of C and Rust libraries), unlike `RLIMIT_AS`, which counts reserved addresses and mapped programs
too. Before each validator it is set to what is in use plus what the validator may take.
"""

from __future__ import annotations

import gc
import math
import os
import resource
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from bps.core.errors import InvalidBlueprint
from bps.validation.data import JobData, KnownTexts
from bps.validation.frames import HEADER_BYTES, MARK, TAKE_BACK, body_bytes, frame, message_of
from bps.validation.judging import Verdict, cut, judge
from bps.validation.lines import lines_of
from bps.validation.registry import Installed, installed
from bps.validation.watchdog import Watchdog

_STATUS = "/proc/self/status"
_STATUS_BYTES = 8_192
_KIB = 1_024
_BETWEEN_S = 1.0
"""The watchdog must leave so much for the few milliseconds between two validators."""
_SOON_BYTES = 65_536
"""What is longer takes its time to be sent or parsed, and no watchdog may run meanwhile."""


def main(arguments: list[str]) -> int:
    """Serve jobs until the pool goes away."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    worker = _Worker(channel, installed())
    gc.freeze()
    channel.sendall(frame([{"ready": True}]))
    while (job := worker.next_job()) is not None:
        worker.serve(job)
    return 0


class _Worker:
    """Its end of the talk, and what it keeps from one candidate to the next."""

    def __init__(self, channel: socket.socket, present: Mapping[str, list[Installed]]) -> None:
        self._channel = channel
        self._present = present
        self._known = KnownTexts()
        self._watchdog = Watchdog()
        self._said: list[dict[str, object]] = []
        self._large = False

    def next_job(self) -> dict[str, Any] | None:
        """What the pool asks for next; None where it went away."""
        while (body := self._next_body()) is not None:
            message = message_of(body)
            if "take_back" in message:
                # It came too late: what it means was judged.
                continue
            if not self._is_taken_back():
                return message
            self._say(skipped=True)
            self._send()
        return None

    def _is_taken_back(self) -> bool:
        """Whether nobody waits any more for what was read last."""
        try:
            seen = self._channel.recv(len(TAKE_BACK), socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return seen == TAKE_BACK and _exactly(self._channel, len(TAKE_BACK)) is not None

    def _next_body(self) -> bytes | None:
        if not select.select([self._channel], [], [], 0)[0]:
            self._watchdog.end()
        header = _exactly(self._channel, HEADER_BYTES)
        if header is None:
            return None
        length = body_bytes(header)
        self._large = length > _SOON_BYTES
        if self._large:
            self._watchdog.end()
        return _exactly(self._channel, length)

    def serve(self, job: dict[str, Any]) -> None:
        """One candidate, by all validators asked for; it ends after one that tainted it."""
        began = time.monotonic()
        try:
            data = JobData(job, self._known, self._apart)
        except InvalidBlueprint as error:
            self._say(refused=error.message, facts=error.facts)
            self._send()
            return
        self._say(parsed=True)
        for number, asked in enumerate(job["validators"]):
            entries = self._present.get(asked["name"], [])
            source = entries[0] if len(entries) == 1 else None
            names = {
                "distribution": source.distribution if source else "",
                "version": source.version if source else "",
            }
            sys.stdout.flush()
            os.write(2, MARK)
            self._say(started=number, **names)
            self._send()
            left_s = max(0.01, job["deadline_s"] - (time.monotonic() - began))
            own = data.candidate(asked["config"])
            verdict = self._within(job, left_s, partial(judge, entries, own))
            lines = lines_of(data.text, {each.path for each in verdict.findings})
            tainted = verdict.tainted or threading.active_count() > 1
            self._say(done=number, tainted=tainted, **_told(verdict, lines))
            if tainted:
                self._send()
                # The interpreter's own end would wait for threads that are left.
                os._exit(0)
        self._send()

    def _say(self, **message: object) -> None:
        self._said.append(message)

    def _send(self) -> None:
        """All that was said: to be heard before a validator runs, and at the end."""
        said = frame(self._said)
        if len(said) > _SOON_BYTES:
            self._watchdog.end()
        self._channel.sendall(said)
        self._said.clear()

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """What is done for a validator, not by it: neither its time nor its memory."""
        left_s = self._watchdog.left_s
        self._watchdog.end()
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        before = _data_bytes()
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
        try:
            yield
        finally:
            if soft != resource.RLIM_INFINITY:
                soft += max(0, _data_bytes() - before)
                soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
            if left_s is not None:
                self._watchdog.begin(left_s)

    def _within(self, job: dict[str, Any], left_s: float, work: Callable[[], Verdict]) -> Verdict:
        """Do `work` within time and memory; only the memory can be given back here."""
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = _data_bytes() + job["memory_bytes"]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
        self._watchdog.begin(min(job["time_s"], left_s))
        try:
            return work()
        finally:
            self._watchdog.pause(math.inf if self._large else _BETWEEN_S)
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What `RLIMIT_DATA` counts now; 0 where the system does not tell."""
    try:
        # Three times a candidate; `pathlib` takes as long as the kernel does.
        descriptor = os.open(_STATUS, os.O_RDONLY)
    except OSError:
        return 0
    try:
        _, _, found = os.read(descriptor, _STATUS_BYTES).partition(b"VmData:")
    finally:
        os.close(descriptor)
    return int(found.split(maxsplit=1)[0]) * _KIB if found else 0


def _told(verdict: Verdict, lines: Mapping[str, int]) -> dict[str, Any]:
    findings = [
        [each.severity.value, each.path, lines[each.path], each.code, each.message, each.hint]
        for each in verdict.findings
    ]
    return {
        "outcome": verdict.outcome.value,
        "message": cut(verdict.message),
        "hint": cut(verdict.hint),
        "findings": findings,
    }


def _exactly(channel: socket.socket, count: int) -> bytes | None:
    """`count` bytes, or None at the end of the talk."""
    found = bytearray(count)
    view = memoryview(found)
    while view:
        got = channel.recv_into(view)
        if not got:
            return None
        view = view[got:]
    return bytes(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
