"""The checkpoints as this sidecar saw them, on its own disk: what a restored store cannot change.

`checkpoints.ndjson` holds the stored bytes of one checkpoint a line, `trusted-keys` the id and the
public key (base64) of each key whose checkpoints are taken, a key a line. A person may add one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bps.checkpoints.mirror_lines import (
    LOG_NAME,
    RECENT_BYTES,
    TAIL_BYTES,
    Line,
    Mirrored,
    decoded,
    following,
    recent_of,
)
from bps.checkpoints.model import Checkpoint
from bps.core.errors import (
    BpsError,
    ConfigError,
    Unavailable,
    UnsafePath,
)
from bps.core.txn import Compare
from bps.files import AppendLog, Directory
from bps.keyring.public_key import PublicKey

KEYS_NAME: Final = "trusted-keys"
_KEYS_BYTES: Final = 131_072
_COPIED_BYTES: Final = 1_048_576

_log = logging.getLogger(__name__)


class Mirror:
    """An open mirror, locked against a second process; in memory only where it has no directory.

    Attributes:
        last: the newest checkpoint that is kept.
        witness: what a transaction compares so that it is refused in a store without it; None
            until the store was asked.
    """

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._directory: Directory | None = None
        self._file: AppendLog | None = None
        self._trusted: dict[str, PublicKey] = {}
        self.last: Mirrored | None = None
        self.witness: Compare | None = None
        self.label = ""

    @classmethod
    def open(cls, path: Path) -> Mirror:
        """Open or make the mirror in `path`, and repair a last line that was cut short.

        Raises:
            ConfigError: the directory cannot be used, or another process keeps its mirror there.
            MalformedRecord: one of the last lines is no checkpoint.
            ChainBroken: the last lines (256 KiB) are no chain.
        """
        mirror = cls()
        mirror.label = path.name
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or "no reason given"
            raise ConfigError(f"The mirror {path.name!r} cannot be made: {reason}.") from None
        with ExitStack() as stack:
            directory = stack.enter_context(Directory.open_root(path, create=False))
            if not directory.try_lock():
                raise ConfigError(f"Another process keeps its mirror in {path.name!r}.")
            directory.remove_leftovers()
            file = stack.enter_context(directory.append_log(LOG_NAME))
            mirror._directory, mirror._file = directory, file
            mirror.last = _repaired(file)
            mirror._opened = stack.pop_all()
        return mirror

    @property
    def on_disk(self) -> bool:
        """Whether it outlives the process."""
        return self._file is not None

    def close(self) -> None:
        """Release the files and the lock."""
        self._opened.close()

    def append(self, checkpoint: Checkpoint, stored: bytes) -> None:
        """Keep the next checkpoint, durably; blocks for one fsync.

        Raises:
            Unavailable: the disk refuses. Nothing was kept.
        """
        if self._file is not None:
            with _disk():
                self._file.append(stored + b"\n")
        self.last = Mirrored(checkpoint.seq, stored)

    def recent(self) -> list[Mirrored]:
        """The newest that are kept, oldest first, at most `MAX_RECENT`."""
        if self._file is None:
            return [] if self.last is None else [self.last]
        with _disk():
            return recent_of(self._file.tail(RECENT_BYTES), self._file.size_bytes)

    @property
    def size_bytes(self) -> int:
        """How long its file is; 0 without one."""
        return 0 if self._file is None else self._file.size_bytes

    def line_at(self, offset: int) -> Line:
        """The checkpoint whose line holds the byte at `offset`. Raises MalformedRecord."""
        if self._file is None:
            raise ConfigError("A mirror in memory has no lines.")
        with _disk():
            begin = max(0, offset - TAIL_BYTES)
            before = self._file.read(begin, offset - begin)
            start = begin + before.rfind(b"\n") + 1
            stored, _, _ = self._file.read(start, TAIL_BYTES).partition(b"\n")
        checkpoint = decoded(stored, f"at byte {start}")
        return Line(start, start + len(stored) + 1, Mirrored(checkpoint.seq, stored))

    def cut(self, offset: int, last: Mirrored | None, archive: str) -> None:
        """Move what follows the first `offset` bytes into the file `archive`; `last` is now last.

        Blocks. The archive is whole and durable before anything is cut; a crash in between leaves
        both, and the next cut writes it anew. Raises Unavailable.
        """
        if self._file is not None and self._directory is not None:
            with _disk(), self._directory.append_log(archive) as kept:
                kept.cut(0)
                at = offset
                while part := self._file.read(at, _COPIED_BYTES):
                    kept.append(part)
                    at += len(part)
                self._file.cut(offset)
        self.last, self.witness = last, None

    def trusted(self, key_id: str) -> PublicKey | None:
        """The key, where its checkpoints are taken; one that a person added counts at once."""
        if key_id not in self._trusted and self._directory is not None:
            with _disk():
                self._trusted = {**_read_keys(self._directory), **self._trusted}
        return self._trusted.get(key_id)

    def trust(self, key: PublicKey) -> None:
        """Take checkpoints of `key` from now on, durably."""
        if self.trusted(key.key_id) is None:
            self._write_keys({**self._trusted, key.key_id: key})

    def distrust(self, key_id: str) -> None:
        """Take none of this key any more, durably."""
        if self.trusted(key_id) is not None:
            self._write_keys({k: key for k, key in self._trusted.items() if k != key_id})

    def _write_keys(self, trusted: dict[str, PublicKey]) -> None:
        if self._directory is not None:
            lines = "".join(f"{key_id} {key.text}\n" for key_id, key in trusted.items())
            with _disk():
                before = self._directory.read(KEYS_NAME, limit=_KEYS_BYTES)
                written = self._directory.write_atomically(
                    KEYS_NAME, lines.encode(), replacing=before
                )
            if not written:
                raise Unavailable(f"{KEYS_NAME} of the mirror was changed just now.")
        self._trusted = trusted


@contextmanager
def _disk() -> Iterator[None]:
    """What the disk refuses, without the path: it is shown to whoever asks for the diagnosis."""
    try:
        yield
    except UnsafePath:
        raise Unavailable("A file of the mirror is a link or no regular file.") from None
    except ConfigError as error:
        number = error.facts.get("errno")
        reason = os.strerror(number) if isinstance(number, int) else "no reason given"
        raise Unavailable(f"The mirror cannot be read or written: {reason}.") from None


def _repaired(file: AppendLog) -> Mirrored | None:
    """The last whole line, after looking at those before; what a crash left is dropped."""
    tail = file.tail(TAIL_BYTES)
    is_part = len(tail) < file.size_bytes
    whole, _, torn = tail.rpartition(b"\n")
    if torn:
        _log.warning("the mirror ended in %d bytes of a torn line; they are dropped", len(torn))
        file.cut(file.size_bytes - len(torn))
    # What is not the whole file begins with a part of a line.
    lines = whole.split(b"\n")[is_part:]
    last: Mirrored | None = None
    for stored in filter(None, lines):
        last = following(last, stored)
    return last


def _read_keys(directory: Directory) -> dict[str, PublicKey]:
    found = directory.read(KEYS_NAME, limit=_KEYS_BYTES)
    trusted: dict[str, PublicKey] = {}
    for line in (found.data or b"").decode(errors="replace").splitlines() if found else ():
        key_id, _, text = line.strip().partition(" ")
        try:
            key = PublicKey.parse(text)
        except BpsError:
            _log.warning("a line of the mirror's trusted keys is no key; it is left out")
            continue
        if key.key_id == key_id:
            trusted[key_id] = key
    return trusted
