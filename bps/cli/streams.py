"""Standard streams as the command line needs them, whatever it was started with."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


STDOUT = 1
_closed: set[int] = set()


class _Unfailing(io.FileIO):
    """What a full or closed device does not take is dropped; the exit code still tells."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or len(memoryview(data))
        except OSError:
            return len(memoryview(data))


def prepare_streams() -> None:
    """Make stdout and stderr usable: UTF-8, never None; stderr never fails.

    JSON is UTF-8 whatever the locale says, and no character may end a command halfway. A stream
    that was closed (`>&-`) becomes /dev/null, so that no other file gets its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one.
            os.open(os.devnull, os.O_RDWR)
            _closed.add(number)
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Unfailing(2, "wb", closefd=False)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def was_closed(number: int) -> bool:
    """Whether this process was started without the standard stream of that number."""
    return number in _closed
