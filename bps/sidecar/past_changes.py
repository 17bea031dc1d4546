"""What a store's history still has of changes that nobody keeps in memory."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Final

from bps.core import keys
from bps.core.errors import BpsError, Compacted
from bps.core.ports import Store, WatchBatch
from bps.sidecar.ring import Chunk, kept, size_of

_QUIET_S: Final = 1.0
"""A watch that tells nothing for so long lets others have their turn."""

_log = logging.getLogger(__name__)


async def past_changes(store: Store, position: int, *, until: int, max_bytes: int) -> Chunk:
    """Changes after revision `position`, to revision `until` at least or about `max_bytes`.

    Fewer, or none, where the store tells nothing: it has no word for "no more". Cost: one watch.

    Raises:
        Compacted: the revision after `position` is gone.
    """
    found: list[WatchBatch] = []
    size, reached = 0, position
    async with aclosing(store.watch(keys.ROOT, start_revision=position + 1)) as watch:
        while reached < until and size < max_bytes:
            try:
                async with asyncio.timeout(_QUIET_S):
                    batch = kept(await anext(watch))
            except (TimeoutError, StopAsyncIteration):
                break
            except Compacted:
                raise
            except BpsError as error:
                _log.warning("catching up failed and is tried again: %s", error.message)
                break
            reached = batch.revision
            if batch.events:
                found.append(batch)
                size += size_of(batch)
    return Chunk(tuple(found), reached)
