"""A read goes on to other members, with jitter and an end; writes never come here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from bps.core.errors import StoreError, Unavailable
from bps.store.failures import Refusal

T = TypeVar("T")

_LEAST_S = 0.05
"""What an attempt may take at least, however late it begins."""
_HEAD_START_S = 0.1
"""So long a member may take alone before the next one is asked too: a frozen one says nothing."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.5
"""Pauses are drawn from zero to a bound that doubles: many readers do not hammer a dead store."""


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
            wait=wait_random_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S),
            stop=stop_after_delay(left_s(end)),
            reraise=True,
        )
        return await rotation(attempt)
    except Refusal as refusal:
        raise refusal.read_error() from None


async def any_member(
    asks: Iterable[Callable[[], Coroutine[Any, Any, T]]],
    revision_of: Callable[[T], int],
    *,
    at_least: int,
    bound_s: float,
) -> T:
    """The first answer at revision `at_least` or later; `asks` has one call a member.

    The next member is asked when one failed or is behind, or has said nothing for 0.1 s.

    Raises:
        Unavailable: those that answered are behind (facts: have), or nobody did in time.
        StoreError: what the first refusal means to a reader, where all refused.
    """
    left, end = deque(asks), asyncio.get_running_loop().time() + bound_s
    waiting: set[asyncio.Task[T]] = set()
    have: int | None = None
    refused: StoreError | None = None
    try:
        while left or waiting:
            if left:
                waiting.add(asyncio.create_task(left.popleft()()))
            patience_s = min(_HEAD_START_S, left_s(end)) if left else left_s(end)
            done, waiting = await asyncio.wait(
                waiting, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                try:
                    answer = task.result()
                except Refusal as refusal:
                    refused = refused or refusal.read_error()
                except StoreError as error:
                    refused = refused or error
                else:
                    if revision_of(answer) >= at_least:
                        return answer
                    have = max(have or 0, revision_of(answer))
            if not done and not left:
                break
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    if have is not None:
        msg = f"The members that answer are behind: they have revision {have}, not {at_least}."
        raise Unavailable(msg, have=str(have), wanted=str(at_least))
    raise refused or Unavailable("No etcd member answered in time.")


def left_s(end: float) -> float:
    """Seconds until `end`; never less than a short attempt takes."""
    return max(end - asyncio.get_running_loop().time(), _LEAST_S)


def _answerable_elsewhere(error: BaseException) -> bool:
    return isinstance(error, Refusal) and error.verdict.elsewhere
