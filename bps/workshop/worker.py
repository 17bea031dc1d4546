"""The process in which pure functions run: `python -P -m bps.workshop.worker`.

It is given pickled pairs (function, argument) by the process that started it, and by nobody else:
pickle is read from that one pipe only. What a function prints goes to standard error, so that it
cannot harm the talk. It ends at the end of its input.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from typing import BinaryIO

LENGTH = struct.Struct(">Q")


def main() -> int:
    """Serve until the pipe is closed."""
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    while (message := _read(source)) is not None:
        function, argument = pickle.loads(message)  # noqa: S301 - our own parent's
        answer = pickle.dumps(function(argument))
        target.write(LENGTH.pack(len(answer)) + answer)
        target.flush()
    return 0


def _read(source: BinaryIO) -> bytes | None:
    header = source.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(header)
    body = source.read(length)
    return body if len(body) == length else None


if __name__ == "__main__":
    sys.exit(main())
