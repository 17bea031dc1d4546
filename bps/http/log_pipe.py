"""Log lines on their way out: a reader of stderr that stands still must not stop the service.

Lines go through a bounded queue to a thread that writes them, many at once. Where the reader does
not keep up, lines beyond 10,000 are dropped, and one line says how many once it reads again. At the
end what is queued is written for at most half a second.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable

MAX_LINES = 10_000
_BATCH_S = 0.01
_BATCH_LINES = 500
_END_S = 0.5


class LogPipe:
    """Takes lines from any thread; the descriptor is not closed."""

    def __init__(self, descriptor: int, dropped_line: Callable[[int], bytes]) -> None:
        """`dropped_line` makes the line that tells how many were dropped."""
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._waiting = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Queue a line, its line feed included. Never blocks. Cost: under 1 us."""
        if len(self._lines) >= MAX_LINES:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._waiting.is_set():
            self._waiting.set()

    def close(self) -> None:
        """Write what is queued, within half a second."""
        self._ended = True
        self._waiting.set()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while not (self._ended and not self._lines):
            self._waiting.wait()
            if not self._ended:
                # A batch a hundredth of a second: one system call for many lines.
                time.sleep(_BATCH_S)
            self._waiting.clear()
            while self._lines:
                self._write_some()

    def _write_some(self) -> None:
        count = min(len(self._lines), _BATCH_LINES)
        batch = [self._lines.popleft() for _ in range(count)]
        dropped, self._dropped = self._dropped, 0
        if dropped:
            batch.append(self._dropped_line(dropped))
        left = memoryview(b"".join(batch))
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except BlockingIOError:
            # Somebody made the descriptor non-blocking: what does not fit is dropped.
            self._dropped += count
            time.sleep(_BATCH_S)
        except OSError:
            # Nobody reads any more; the service goes on without a log.
            self._dropped += count
