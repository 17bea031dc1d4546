"""A list of which some records cannot be read: the others are shown first."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import TypeAlias, TypeVar

from bps.core.errors import IntegrityError

T = TypeVar("T")

Readable: TypeAlias = "tuple[list[T], IntegrityError | None]"


async def readable(found: AsyncIterable[T]) -> Readable[T]:
    """All that `found` yields, and the error that it ends with, which names what is missing."""
    items: list[T] = []
    try:
        async for each in found:
            items.append(each)  # noqa: PERF401 - what came before the error is kept
    except IntegrityError as error:
        return items, error
    return items, None
