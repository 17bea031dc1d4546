"""The sidecar's own tasks: none ends by itself, and all end together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Tasks:
    """Tasks by their names; started once, in order, and cancelled the other way round."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, **runs: Coroutine[Any, Any, None]) -> None:
        """Start each of `runs` as the task of its name."""
        self._tasks = [asyncio.create_task(run, name=name) for name, run in runs.items()]

    def named(self, name: str) -> asyncio.Task[None]:
        """One of them. Raises StopIteration: there is none."""
        return next(task for task in self._tasks if task.get_name() == name)

    async def failure(self) -> tuple[str, BaseException | None]:
        """Wait until one of them ends, which none ever should; its name, and what ended it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = done.pop()
        return ended.get_name(), None if ended.cancelled() else ended.exception()

    async def cancel(self, timeout_s: float) -> None:
        """Cancel all, and wait for them at most `timeout_s`."""
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.wait(self._tasks, timeout=timeout_s)

    def tell(self) -> None:
        """Log those that ended badly."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (failed := task.exception()):
                _log.warning("%s ended badly", task.get_name(), exc_info=failed)
