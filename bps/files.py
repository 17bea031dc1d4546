"""Files below a root that others may write to: atomic replacement, and no way out of the root.

Every step is relative to an open directory and refuses symbolic links, so that nobody can swap a
component between a check and its use (openat(2), O_NOFOLLOW). The root itself is the user's own
choice: its path is resolved once, when it is opened, and followed by descriptor from then on.

A write is: temporary file in the same directory, fsync, rename, fsync of the directory. Whoever
reads the name sees the old content or the new one, whole, also after `kill -9` or a power cut.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bps.core.errors import ConfigError, UnsafePath

_TEMPORARY = re.compile(r"\.bps-[0-9a-f]{16}\.tmp")
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OPEN_EXISTING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_APPEND = (
    os.O_RDWR
    | os.O_APPEND
    | os.O_CREAT
    | os.O_NOFOLLOW
    | os.O_NONBLOCK
    | os.O_NOCTTY
    | os.O_CLOEXEC
)
_NOT_PLAIN = {errno.ELOOP, errno.ENOTDIR}
"""What open(2) answers for a symbolic link, or for another kind of file, where a directory was."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file as read. `data` is None where it holds more than the caller's limit.

    `identity` changes when the file is replaced or written to: device, inode, size, mtime, ctime.
    """

    data: bytes | None
    mode: int
    identity: tuple[int, int, int, int, int]


class Directory:
    """An open directory; a context manager. `path` is for messages only, never opened again.

    All methods raise:
        UnsafePath: a name is no plain component, or a symbolic link or special file is in its way.
        ConfigError: the file system refuses (permission, space, read-only); facts: path, errno.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def open_root(cls, path: Path, *, create: bool = True) -> Directory:
        """Open `path`, following symbolic links this once.

        With `create`, its last component is made if absent.
        """
        with _named("open the workspace", path):
            if create:
                with suppress(FileExistsError):
                    os.mkdir(path, 0o755)  # noqa: PTH102 - one component, no parents
            return cls(os.open(path, _OPEN_DIRECTORY), path)

    def enter(self, name: str, *, create: bool = True) -> Directory:
        """Open the directory `name` in this one; with `create`, made durably if absent."""
        path = self._at(name)
        with _named("open the directory", path):
            if create:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=self._descriptor)
                    os.fsync(self._descriptor)
            flags = _OPEN_DIRECTORY | os.O_NOFOLLOW
            return Directory(os.open(name, flags, dir_fd=self._descriptor), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def try_lock(self) -> bool:
        """Take this directory's advisory lock (flock(2)) until it is closed; False if taken."""
        with _named("lock", self.path):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def names(self) -> list[str]:
        """The names in this directory, sorted."""
        with _named("list", self.path):
            return sorted(os.listdir(self._descriptor))  # noqa: PTH208 - by descriptor

    def read(self, name: str, *, limit: int) -> FoundFile | None:
        """The regular file `name`, up to `limit` bytes of it held; None where there is none."""
        path = self._at(name)
        with _named("read", path):
            if self._stat(name) is None:
                return None
            try:
                descriptor = os.open(name, _OPEN_EXISTING, dir_fd=self._descriptor)
            except FileNotFoundError:
                return None
            try:
                found = _regular(os.fstat(descriptor), path)
                with open(descriptor, "rb", closefd=False) as file:
                    data = file.read(limit + 1)
            finally:
                os.close(descriptor)
            whole = data if len(data) <= limit else None
            return FoundFile(whole, stat.S_IMODE(found.st_mode), _identity(found))

    def write_atomically(
        self, name: str, data: bytes, *, replacing: FoundFile | None, mode: int = 0o644
    ) -> bool:
        """Make `name` hold `data`, durably, if it still is the file read before (None: absent).

        False, and nothing changed, where it is another one by now. What remains is the instant
        between that last look and the rename. Permission bits of a replaced file are kept;
        `mode` is a new one's.
        Cost: two fsyncs.
        """
        path = self._at(name)
        temporary = f".bps-{secrets.token_hex(8)}.tmp"
        with _named("write", path):
            descriptor = os.open(temporary, _CREATE, mode, dir_fd=self._descriptor)
            try:
                with open(descriptor, "wb") as file:  # noqa: PTH123 - by descriptor
                    if replacing is not None:
                        os.fchmod(descriptor, replacing.mode & 0o777)
                    file.write(data)
                    file.flush()
                    os.fsync(descriptor)
                if not self._still(name, replacing):
                    return False
                os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=self._descriptor)
            os.fsync(self._descriptor)
            return True

    def append_log(self, name: str) -> AppendLog:
        """The regular file `name`, made with mode 0600 if absent, to append to; a context manager.

        Take the lock first: nobody else may write to it.
        """
        path = self._at(name)
        with _named("open", path):
            descriptor = os.open(name, _APPEND, 0o600, dir_fd=self._descriptor)
            try:
                _regular(os.fstat(descriptor), path)
                os.fsync(self._descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            return AppendLog(descriptor, path)

    def remove(self, name: str, found: FoundFile) -> bool:
        """Remove `name` if it still is the file that was read; whether it was removed."""
        with _named("remove", self._at(name)):
            if not self._still(name, found):
                return False
            os.unlink(name, dir_fd=self._descriptor)
            return True

    def remove_leftovers(self) -> None:
        """Remove temporary files of killed writers; call it only while holding the lock."""
        for name in filter(_TEMPORARY.fullmatch, self.names()):
            found = self.read(name, limit=0)
            if found is not None:
                self.remove(name, found)

    def _at(self, name: str) -> Path:
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise UnsafePath(f"{name!r} is not the name of a file.", path=str(self.path))
        return self.path / name

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return _regular(found, self.path / name)

    def _still(self, name: str, before: FoundFile | None) -> bool:
        now = self._stat(name)
        if before is None or now is None:
            return before is None and now is None
        return _identity(now) == before.identity


class AppendLog:
    """A file that only grows, durably; a context manager. Raises ConfigError."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    @property
    def size_bytes(self) -> int:
        """How long it is now."""
        return os.fstat(self._descriptor).st_size

    def append(self, data: bytes) -> None:
        """Write `data` at the end, then fsync; after a failure the file is as long as before."""
        with _named("write", self.path):
            size = self.size_bytes
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                os.fsync(self._descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, size)
                raise

    def cut(self, size_bytes: int) -> None:
        """Drop what follows the first `size_bytes`, durably."""
        with _named("write", self.path):
            os.ftruncate(self._descriptor, size_bytes)
            os.fsync(self._descriptor)

    def read(self, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes from `offset` on."""
        with _named("read", self.path):
            return os.pread(self._descriptor, limit, offset)

    def tail(self, limit: int) -> bytes:
        """The last `limit` bytes, or all of them where there are fewer."""
        with _named("read", self.path):
            return os.pread(self._descriptor, limit, max(0, self.size_bytes - limit))


def _identity(found: os.stat_result) -> tuple[int, int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _regular(found: os.stat_result, path: Path) -> os.stat_result:
    if stat.S_ISLNK(found.st_mode):
        raise UnsafePath(f"{path} is a symbolic link; it was not followed.", path=str(path))
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePath(f"{path} is not a regular file; it was not touched.", path=str(path))
    return found


@contextmanager
def _named(act: str, path: Path) -> Iterator[None]:
    """Turn the operating system's failures into named errors."""
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_PLAIN:
            msg = f"Cannot {act} {path}: it is a symbolic link, or not a directory."
            raise UnsafePath(msg, path=str(path)) from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        msg = f"Cannot {act} {path}: {reason}."
        raise ConfigError(msg, path=str(path), errno=error.errno) from error
    except ValueError as error:
        raise UnsafePath(f"Cannot {act} {str(path)!r}: {error}.", path=repr(path)) from error
