"""The lines of a mirror: one checkpoint each, as stored; read without its lock (R13)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bps.checkpoints.model import Checkpoint, hash_of
from bps.core.errors import ChainBroken, ConfigError, MalformedRecord

LOG_NAME: Final = "checkpoints.ndjson"
TAIL_BYTES: Final = 262_144
"""More than the longest checkpoint: 100 heads and 20 keys take 15 KB."""
MAX_RECENT: Final = 100
"""So many checkpoints, the newest, are shown where a rollback is accepted."""
RECENT_BYTES: Final = 4 * TAIL_BYTES


@dataclass(frozen=True, slots=True)
class Mirrored:
    """The last checkpoint of a mirror: its stored bytes."""

    seq: int
    stored: bytes

    @property
    def hash(self) -> str:
        """Its name in the chain."""
        return hash_of(self.stored)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the mirror's file: bytes `start` to `end`, the line feed included."""

    start: int
    end: int
    mirrored: Mirrored


def mirrored(path: Path) -> Iterator[tuple[Checkpoint, bytes]]:
    """All whole lines of the mirror in `path`, oldest first; a reader needs no lock. Memory: one.

    Raises:
        ConfigError: it cannot be read.
        MalformedRecord: a line is no checkpoint.
    """
    try:
        with (path / LOG_NAME).open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    stored = line[:-1]
                    yield decoded(stored, number), stored
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise ConfigError(f"The mirror {path.name!r} cannot be read: {reason}.") from None


def recent_in(path: Path) -> list[Mirrored]:
    """The newest checkpoints of the mirror in `path`, oldest first; a reader needs no lock.

    Raises ConfigError, MalformedRecord.
    """
    try:
        with (path / LOG_NAME).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - RECENT_BYTES))
            return recent_of(file.read(RECENT_BYTES), size)
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise ConfigError(f"The mirror {path.name!r} cannot be read: {reason}.") from None


def recent_of(tail: bytes, size_bytes: int) -> list[Mirrored]:
    """The whole lines at the end of a file of `size_bytes`, of which `tail` are the last bytes."""
    whole = tail.rpartition(b"\n")[0].split(b"\n")[len(tail) < size_bytes :]
    lines = [stored for stored in whole if stored][-MAX_RECENT:]
    return [Mirrored(decoded(stored, "near the end").seq, stored) for stored in lines]


def decoded(stored: bytes, where: int | str) -> Checkpoint:
    """The checkpoint of a line; `where` is its number or place. Raises MalformedRecord."""
    try:
        return Checkpoint.decode(stored)
    except MalformedRecord:
        msg = f"Line {where} of the mirror is no checkpoint."
        raise MalformedRecord(msg, line=where) from None


def following(last: Mirrored | None, stored: bytes) -> Mirrored:
    """The line after `last`. Raises MalformedRecord, ChainBroken."""
    try:
        checkpoint = Checkpoint.decode(stored)
    except MalformedRecord as error:
        raise MalformedRecord("One of the last lines of the mirror is no checkpoint.") from error
    if last is not None and (last.seq + 1, last.hash) != (checkpoint.seq, checkpoint.prev):
        msg = (
            f"The mirror is no chain at checkpoint {checkpoint.seq}: its lines were moved, or two "
            "mirrors were mixed. Keep it as evidence, and name another directory."
        )
        raise ChainBroken(msg, checkpoint=str(checkpoint.seq))
    return Mirrored(checkpoint.seq, stored)
