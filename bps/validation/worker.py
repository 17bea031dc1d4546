"""The process in which validators run: `python -P -m bps.validation.worker DESCRIPTOR`.

It answers over its own socket; what validators print goes to another pipe, so that no print can
harm the talk. It ends when the pool goes away (the socket's end) or when a validator hangs: a
watchdog thread of faulthandler, which needs no interpreter lock, prints where it hangs and exits.

Memory: `RLIMIT_DATA` counts what a process really may write (heap and private mappings, also those
of C and Rust libraries), unlike `RLIMIT_AS`, which counts reserved addresses and mapped programs
too. Before each validator it is set to what is in use plus what the validator may take.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bps.core.errors import InvalidBlueprint
from bps.validation.data import JobData, KnownTexts
from bps.validation.frames import HEADER_BYTES, MARK, body_bytes, frame, message_of
from bps.validation.judging import Verdict, cut, judge
from bps.validation.lines import lines_of
from bps.validation.registry import Installed, installed

_STATUS = Path("/proc/self/status")
_PAGE_KIB = 1_024


def main(arguments: list[str]) -> int:
    """Serve jobs until the pool goes away."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    present = installed()
    known = KnownTexts()
    gc.freeze()
    channel.sendall(frame({"ready": True}))
    while (job := _receive(channel)) is not None:
        _serve(channel, job, present, known)
    return 0


def _serve(
    channel: socket.socket,
    job: dict[str, Any],
    present: Mapping[str, list[Installed]],
    known: KnownTexts,
) -> None:
    """One candidate, by all validators that are asked for; it ends after one that tainted it."""
    said = bytearray()

    def say(**message: object) -> None:
        said.extend(frame(message))

    def send() -> None:
        """All that was said: to be heard before a validator runs, and at the end."""
        channel.sendall(said)
        said.clear()

    began = time.monotonic()
    try:
        data = JobData(job, known)
    except InvalidBlueprint as error:
        say(refused=error.message, facts=error.facts)
        send()
        return
    say(parsed=True)
    for number, asked in enumerate(job["validators"]):
        entries = present.get(asked["name"], [])
        source = entries[0] if len(entries) == 1 else None
        names = {
            "distribution": source.distribution if source else "",
            "version": source.version if source else "",
        }
        sys.stdout.flush()
        os.write(2, MARK)
        say(started=number, **names)
        send()
        left_s = max(0.01, job["deadline_s"] - (time.monotonic() - began))
        own = data.candidate(asked["config"])
        verdict = _within(job, left_s, partial(judge, entries, own))
        lines = lines_of(data.text, {each.path for each in verdict.findings})
        tainted = verdict.tainted or threading.active_count() > 1
        say(done=number, tainted=tainted, **_told(verdict, lines))
        if tainted:
            send()
            # The interpreter's own end would wait for threads that are left.
            os._exit(0)
    send()


def _within(job: dict[str, Any], left_s: float, work: Callable[[], Verdict]) -> Verdict:
    """Do `work` within time and memory; only the memory can be given back here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + job["memory_bytes"]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    faulthandler.dump_traceback_later(min(job["time_s"], left_s), exit=True)
    try:
        return work()
    finally:
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What `RLIMIT_DATA` counts now; 0 where the system does not tell."""
    try:
        status = _STATUS.read_text()
    except OSError:
        return 0
    return next(
        (
            int(line.split()[1]) * _PAGE_KIB
            for line in status.splitlines()
            if line.startswith("VmData")
        ),
        0,
    )


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


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    header = _exactly(channel, HEADER_BYTES)
    body = None if header is None else _exactly(channel, body_bytes(header))
    return None if body is None else message_of(body)


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
