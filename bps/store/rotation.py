"""A read goes on to other members, with jitter and an end; writes never come here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random

from bps.store.failures import Refusal

T = TypeVar("T")

_LEAST_S = 0.05
"""What an attempt may take at least, however late it begins."""


async def rotating(ask: Callable[[float], Awaitable[T]], *, bound_s: float) -> T:
    """Call `ask(end)` until it answers; `end` is the event loop's time when all must be over.

    Raises:
        StoreError: what the last refusal means to a reader.
    """
    end = asyncio.get_running_loop().time() + bound_s

    async def attempt() -> T:
        # tenacity awaits coroutine functions only, not whatever else gives an awaitable.
        return await ask(end)

    try:
        try:
            return await ask(end)
        except Refusal as refusal:
            if not refusal.verdict.elsewhere:
                raise
        # Built per use: tenacity keeps an iteration's state in the object.
        rotation = AsyncRetrying(
            retry=retry_if_exception(_answerable_elsewhere),
            wait=wait_random(0, 0.1),
            stop=stop_after_delay(left_s(end)),
            reraise=True,
        )
        return await rotation(attempt)
    except Refusal as refusal:
        raise refusal.read_error() from None


def left_s(end: float) -> float:
    """Seconds until `end`; never less than a short attempt takes."""
    return max(end - asyncio.get_running_loop().time(), _LEAST_S)


def _answerable_elsewhere(error: BaseException) -> bool:
    return isinstance(error, Refusal) and error.verdict.elsewhere
