"""Files of `bps merge`: the versions as bytes, and the result in one piece or not at all."""

from __future__ import annotations

import errno
import os
import stat
import sys

from bps.cli.merge_request import STANDARD_STREAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 64 * 1024 * 1024
"""What one version may have; the merge of three such takes some GiB."""
_NAME_A_FILE = "Name a file that can be read, or - for standard input."
_PIECE_BYTES = 256 * 1024
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Refused(Exception):
    """What was given cannot be merged; told as INVALID_INPUT. `field` names what is wrong.

    `next_action` is what to do now, None where its code's row in the catalogue says it.
    """

    next_action: str | None = None

    def __init__(self, message: str, field: str, **facts: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.facts = {"field": field, **facts}

    def advising(self, next_action: str) -> Refused:
        """This refusal, with what to do now."""
        self.next_action = next_action
        return self


def refuse_shared_pipes(names: Sequence[str]) -> None:
    """See that no two files come out of one pipe, whose second reader would find nothing.

    Raises:
        Refused: two do. fact: field, `versions`.
    """
    if names.count(STANDARD_STREAM) > 1:
        raise Refused("Standard input can be only one of the files.", "versions")
    pipes: dict[tuple[int, int], str] = {}
    for name in names:
        try:
            found = os.fstat(0) if name == STANDARD_STREAM else os.stat(name)  # noqa: PTH116 - slow
        except (OSError, ValueError):
            continue  # Told where it is read.
        if not stat.S_ISFIFO(found.st_mode) and not stat.S_ISSOCK(found.st_mode):
            continue
        pipe = (found.st_dev, found.st_ino)
        if pipe in pipes:
            msg = f"{pipes[pipe]} and {name} are one pipe, which can be only one of the files."
            raise Refused(msg, "versions")
        pipes[pipe] = name


def read_version(path: str, what: str) -> bytes:
    """The bytes of a file, or of standard input for `-`. Pipes are read to their end.

    Raises:
        Refused: it cannot be read, or has more than 64 MiB. fact: field, `what`.
    """
    try:
        if path == STANDARD_STREAM:
            if sys.stdin is None:
                raise Refused("Standard input is closed.", what)
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib takes 4 ms
                data = _read(file.fileno())
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise Refused(msg, what).advising(_NAME_A_FILE) from None
    except ValueError:
        msg = f"{path!a} is not the name of a file."
        raise Refused(msg, what).advising(_NAME_A_FILE) from None
    if len(data) > MAX_BYTES:
        raise Refused(f"{path} has more than {MAX_BYTES} bytes.", what)
    return data


def _read(descriptor: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size <= MAX_BYTES and (part := os.read(descriptor, _PIECE_BYTES)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def write_result(path: str, data: bytes, *, durable: bool) -> None:
    """Make a file hold `data`: whoever reads it sees the old content or the new, whole.

    A symbolic link is followed, as whoever named it would expect; what is no regular file (a pipe,
    /dev/stdout) is written to as it is. Permission bits of a file that was there are kept. The
    recipe is the one of `bps.files`, which takes as long to import as a whole merge.

    Args:
        path: the file; its directory must be there.
        data: its new content.
        durable: with two fsyncs, so that a power cut leaves one of the two as well.

    Raises:
        OSError: the system refuses; the file is as it was.
    """
    mode = None
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except FileNotFoundError:
        pass
    else:
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(found.st_mode):
            with open(path, "wb") as file:  # noqa: PTH123 - as above
                file.write(data)
            return
        mode = stat.S_IMODE(found.st_mode) & 0o777
    target = os.path.realpath(path)
    directory = os.path.dirname(target)  # noqa: PTH120 - as above
    temporary = os.path.join(directory, f".bps-{os.urandom(8).hex()}.tmp")  # noqa: PTH118
    descriptor = os.open(temporary, _CREATE, 0o666)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - by descriptor
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            if durable:
                os.fsync(descriptor)
        os.replace(temporary, target)  # noqa: PTH105 - as above
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108 - as above
        raise
    if durable:
        _sync_directory(directory)


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
