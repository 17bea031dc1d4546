"""The real clock; tests bring their own."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Implements `bps.core.ports.Clock` with the operating system's clocks."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Suspend the caller."""
        await asyncio.sleep(delay_s)


_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed_s() -> float:
    """Seconds of a clock that never goes back and also counts while the host is suspended."""
    return time.clock_gettime(_ELAPSED)
