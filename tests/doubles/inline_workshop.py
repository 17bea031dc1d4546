"""A workshop for virtual time: merges run at once, in the event loop itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bps.writepath.prepare import InThreads

A = TypeVar("A")
T = TypeVar("T")


class InlineWorkshop(InThreads):
    """No time passes and no other task runs while it merges; it has no validators."""

    async def compute(self, function: Callable[[A], T], argument: A) -> T:
        return function(argument)
