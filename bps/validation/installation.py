"""What is installed here: a worker knows only what was there when it started."""

from __future__ import annotations

import contextlib
import os
import sys
import time

_SETTLED_NS = 2_000_000_000
"""A directory written later than this may still change within the file system's tick."""
_METADATA = (".dist-info", ".egg-info")

_Listed = frozenset[tuple[str, int]]
"""The name (with its version) of each directory of metadata, and when it was written."""
Distributions = tuple[_Listed, ...]
"""By place of `sys.path`."""


class Installation:
    """Tells cheaply whether distributions were added, replaced or removed since it was asked."""

    def __init__(self) -> None:
        self._listed: dict[str, tuple[int, _Listed]] = {}

    def seen(self) -> Distributions:
        """What is there now, equal to what it was before exactly if nothing was installed.

        Editing an installed file in place is no installing. Cost: a `stat` for each directory of
        `sys.path`; where one was written to, a list of its distributions.
        """
        return tuple(map(self._of, sys.path))

    def _of(self, place: str) -> _Listed:
        try:
            written_ns = os.stat(place).st_mtime_ns  # noqa: PTH116 - on every promotion
            known = self._listed.get(place)
            if known is not None and known[0] == written_ns:
                return known[1]
            listed_ns = time.time_ns()
            found = _distributions(place)
        except OSError:
            return frozenset()
        if listed_ns - written_ns > _SETTLED_NS:
            self._listed[place] = written_ns, found
        return found


def _distributions(place: str) -> _Listed:
    """Raises OSError: it is no directory, or cannot be read."""
    found = set()
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.endswith(_METADATA):
                # An installer may be removing it right now.
                with contextlib.suppress(FileNotFoundError):
                    found.add((entry.name, entry.stat().st_mtime_ns))
    return frozenset(found)
