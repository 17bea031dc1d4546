"""Putting one file in its place, without ever overwriting what only the file holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bps.core.codec import sha256_hex
from bps.files import Directory, FoundFile
from bps.policy.model import MAX_BLUEPRINT_BYTES
from bps.workspace.documents import unedited
from bps.workspace.projection import Projection
from bps.workspace.source import PlanSource

_READ_LIMIT = MAX_BLUEPRINT_BYTES
"""A larger file cannot be one of ours, so no more of it is ever read."""
_ATTEMPTS = 3
_DIGITS = (8, 64)
_BESIDE = re.compile(r"(?P<stem>.+)\.bps-(?P<digits>[0-9a-f]{8}|[0-9a-f]{64})(?P<suffix>\.[a-z]+)")


@dataclass(slots=True)
class Outcome:
    """What became of the files of one directory, by name; conflicts are (edited, beside).

    `beside` is None where the files beside it were edited as well, so that nothing was written.
    """

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    conflicts: list[tuple[str, str | None]] = field(default_factory=list)


async def place_all(
    directory: Directory, projections: Iterable[Projection], source: PlanSource
) -> Outcome:
    """Bring `directory`, which the caller has locked, up to date.

    A file that no longer is what etcd knows stays; the new content goes beside it. Files beside
    that no conflict needs any more are removed, unless they were edited. Cost: one round trip per
    file that is not there, two per file that changes; two fsyncs per file written.
    """
    outcome = Outcome()
    directory.remove_leftovers()
    names: set[str] = set()
    for projection in projections:
        names.add(projection.name)
        await _place(directory, projection, source, outcome)
    _remove_obsolete_beside(directory, names, outcome)
    return outcome


async def _place(
    directory: Directory, projection: Projection, source: PlanSource, outcome: Outcome
) -> None:
    for _ in range(_ATTEMPTS):
        found = directory.read(projection.name, limit=_READ_LIMIT)
        if _holds(found, projection):
            outcome.unchanged.append(projection.name)
            return
        if found is not None and not await _known(found, projection, source):
            break
        data = await _data(projection, source)
        if directory.write_atomically(projection.name, data, replacing=found):
            outcome.written.append(projection.name)
            return
    beside = await _place_beside(directory, projection, source, outcome)
    outcome.conflicts.append((projection.name, beside))


async def _place_beside(
    directory: Directory, projection: Projection, source: PlanSource, outcome: Outcome
) -> str | None:
    for digits in _DIGITS:
        name = _beside(projection, digits)
        found = directory.read(name, limit=_READ_LIMIT)
        if _holds(found, projection):
            outcome.unchanged.append(name)
            return name
        if found is None:
            data = await _data(projection, source)
            if directory.write_atomically(name, data, replacing=None):
                outcome.written.append(name)
                return name
    return None


async def _known(found: FoundFile, projection: Projection, source: PlanSource) -> bool:
    """Whether overwriting `found` loses nothing: etcd has it, or can make it again."""
    if found.data is None:
        return False
    if projection.data is not None:
        return unedited(found.data)
    return await source.knows_now(sha256_hex(found.data))


async def _data(projection: Projection, source: PlanSource) -> bytes:
    if projection.data is not None:
        return projection.data
    return await source.blueprint(projection.digest)


def _holds(found: FoundFile | None, projection: Projection) -> bool:
    if found is None or found.data is None:
        return False
    return sha256_hex(found.data) == projection.digest


def _beside(projection: Projection, digits: int) -> str:
    name = PurePosixPath(projection.name)
    return f"{name.stem}.bps-{projection.digest[:digits]}{name.suffix}"


def _remove_obsolete_beside(directory: Directory, names: set[str], outcome: Outcome) -> None:
    needed = {beside for _, beside in outcome.conflicts}
    for name in directory.names():
        parts = _BESIDE.fullmatch(name)
        if parts is None or name in needed or parts["stem"] + parts["suffix"] not in names:
            continue
        found = directory.read(name, limit=_READ_LIMIT)
        if found is None or found.data is None:
            continue
        as_written = sha256_hex(found.data).startswith(parts["digits"])
        if as_written and directory.remove(name, found):
            outcome.removed.append(name)
