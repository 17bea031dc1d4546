"""Opening a file that must be a regular one: no symbolic link, pipe, device or directory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO

from bps.core.errors import ConfigError


def open_regular(path: Path, flags: int, *, follow: bool = False) -> IO[bytes]:
    """The file at `path`, unbuffered; never waits for the other end of a pipe, never truncates.

    Args:
        path: its place; `follow` says whether it may be a symbolic link.
        flags: `os.O_RDONLY` or `os.O_RDWR`, and `os.O_CREAT` (mode 0600).
        follow: see `path`.

    Raises:
        ConfigError: it is there, but is no regular file.
        OSError: the system refuses.
    """
    links = 0 if follow else os.O_NOFOLLOW
    try:
        number = os.open(path, flags | links | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EISDIR}:
            raise _refused(path) from error
        raise
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise _refused(path)
    return os.fdopen(number, "rb" if flags & os.O_ACCMODE == os.O_RDONLY else "r+b", buffering=0)


def _refused(path: Path) -> ConfigError:
    return ConfigError(f"{path} is not a regular file, which it has to be; it was not touched.")
