"""Asynchronous tests without a plug-in: each runs in an event loop of its own, with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_POLL_S = 0.02
HANGS_S = 30.0
"""Longer than anything takes on a busy machine: who is not done by then hangs."""


def run(work: Coroutine[Any, Any, T], *, deadline_s: float = 60.0) -> T:
    """Run `work` to its end in a new event loop; raises TimeoutError after `deadline_s`."""

    async def bounded() -> T:
        async with asyncio.timeout(deadline_s):
            return await work

    return asyncio.run(bounded())


def asynchronous(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Let pytest call a coroutine function as a test."""

    @wraps(test)
    def synchronous(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return synchronous


@asynccontextmanager
async def meanwhile(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let `works` go on until the block ends, which ends them; raises what one failed of."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def eventually(
    condition: Callable[[], Awaitable[bool]], what: str, *, deadline_s: float = 10.0
) -> None:
    """Poll until `condition` holds; raises AssertionError naming `what` after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while not await condition():
        if time.monotonic() > end:
            msg = f"after {deadline_s:g} s still not: {what}"
            raise AssertionError(msg)
        await asyncio.sleep(_POLL_S)
