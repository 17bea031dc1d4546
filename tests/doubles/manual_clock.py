"""Virtual time."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

_TURNS = 20
"""Turns of the event loop that let woken tasks run to their next wait on a memory store."""


class ManualClock:
    """A clock that a test moves; the wall clock and the monotonic one move together.

    A sleeper waits until `advance` passes its instant. With `jumps=True` a sleeper does not wait
    but moves the clock itself: for code that only ever sleeps in a loop of its own.
    """

    def __init__(self, *, jumps: bool = False, wall_ms: int = 1_800_000_000_000) -> None:
        self._jumps = jumps
        self._wall_ms = wall_ms
        self._now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = count()

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._wall_ms + round(self._now_s * 1000)

    def monotonic_s(self) -> float:
        """Seconds since this clock was made."""
        return self._now_s

    async def sleep(self, delay_s: float) -> None:
        """Wait for `advance`, or move the clock where it jumps."""
        if self._jumps:
            self.move(delay_s)
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self._now_s + delay_s, next(self._numbers), woken))
        await woken.wait()

    def move(self, by_s: float) -> None:
        """Let time pass without letting anyone run: as a frozen process sees it."""
        self._now_s += by_s

    def set_wall(self, by_ms: int) -> None:
        """Step the wall clock, as an administrator or NTP may do; also backwards."""
        self._wall_ms += by_ms

    async def advance(self, by_s: float) -> None:
        """Let time pass; each sleeper wakes at its own instant and runs to its next wait."""
        end_s = self._now_s + by_s
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            at_s, _, woken = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, at_s)
            woken.set()
            await _settle()
        self._now_s = end_s
        await _settle()


async def _settle() -> None:
    """Let every task run to its next wait."""
    # asyncio's own list of what runs in the next turn: this task is not in it.
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
        if ready is not None and not ready:
            return
