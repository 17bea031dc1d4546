"""The changes of the mode: logged, counted, and kept for who asks since when it is so."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from bps.leadership.modes import Mode, Reason, Standing

KEPT: Final = 20
"""The newest edges that are remembered."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """The sidecar went into this mode at `at_ms` (wall clock); `message` is for people."""

    mode: Mode
    reason: Reason | None
    at_ms: int
    message: str = ""


class Edges:
    """What has become of one sidecar's mode. A reader remembers `count`, and waits for more."""

    def __init__(self, sidecar: str, now_ms: int, standing: Standing) -> None:
        self._sidecar = sidecar
        self._kept: deque[Edge] = deque([Edge(standing.mode, standing.reason, now_ms)], KEPT)
        self._moved = asyncio.Event()
        self.count = 0
        #: By mode and reason: how often it was gone into.
        self.counted: Counter[tuple[Mode, Reason | None]] = Counter()

    @property
    def last(self) -> Edge:
        """The present mode, and since when."""
        return self._kept[-1]

    @property
    def newest_first(self) -> tuple[Edge, ...]:
        """The last 20, the present mode first."""
        return tuple(reversed(self._kept))

    async def wait(self, seen: int) -> None:
        """Wait until there were more edges than `seen`; may be cancelled."""
        while self.count <= seen:
            await self._moved.wait()

    def passed(self, now: Standing, now_ms: int, term: int) -> None:
        """Take the standing in; where mode and reason are what they were, nothing happened."""
        before = self.last
        if (before.mode, before.reason) == (now.mode, now.reason):
            return
        message = now.hold.error.message if now.hold is not None else ""
        self._kept.append(Edge(now.mode, now.reason, now_ms, message))
        self.count += 1
        self.counted[now.mode, now.reason] += 1
        self._write(before, now, message, term)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _write(self, before: Edge, now: Standing, message: str, term: int) -> None:
        # That another one leads is what a standby is for.
        calm = now.hold is None or now.reason in {Reason.NOT_LEADER, Reason.DRAINING}
        _log.log(
            logging.INFO if calm else logging.WARNING,
            "%s%s",
            now.mode.value,
            f": {message}" if message else "",
            extra={
                "sidecar": self._sidecar,
                "term": term,
                "mode": now.mode.value,
                "reason": now.reason and now.reason.value,
                "before": before.mode.value,
            },
        )
