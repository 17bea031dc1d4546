"""Every sidecar's part in checkpoints: to mirror them, and to notice what was undone (R10, R13)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bps.checkpoints.follow import catch_up
from bps.checkpoints.mirror import Mirror
from bps.checkpoints.rollback import agree
from bps.core import keys
from bps.core.errors import BpsError, ChainBroken, StoreRolledBack
from bps.core.ports import Clock, Store, WatchBatch
from bps.core.txn import Compare
from bps.sidecar.feed import Feed

_RETRY_S: Final = 5.0

_log = logging.getLogger(__name__)


class MirrorKeeper:
    """Run `run` as a task. `problem` is what the mirror and the store disagree in, or what fails.

    A mirror that cannot be written stops nothing: it is tried again every 5 s. A store that was
    rolled back ends the term; the next one does not begin (`check`). `witness` is compared in every
    write, so that none lands in a store that lacks the last mirrored checkpoint.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        clock: Clock,
        directory: Path | None,
        *,
        on_rollback: Callable[[StoreRolledBack], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._on_rollback = on_rollback
        self._wake = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._changed: ChainBroken | None = None
        self._directory = directory
        self.mirror = Mirror()
        self.problem: BpsError | None = None
        feed.listen(self._learn, on_gap=self._wake.set)

    def open(self) -> None:
        """Open the mirror on disk. Raises ConfigError, MalformedRecord."""
        if self._directory is not None:
            self.mirror = Mirror.open(self._directory)

    def close(self) -> None:
        """Release it."""
        self.mirror.close()

    async def check(self) -> None:
        """Before a term begins: the store holds what the mirror holds. One round trip.

        What an accepted rollback lost leaves the mirror by this.

        Raises:
            StoreRolledBack: it does not.
        """
        async with self._one_at_a_time:
            self.mirror.witness = await agree(self._store, self.mirror)

    def witness(self) -> Compare | None:
        """What every write compares; None where there is nothing to hold the store to yet."""
        return self.mirror.witness

    async def run(self) -> None:
        """Follow the chain until cancelled."""
        while True:
            self._wake.clear()
            await self.follow()
            if self.problem is None:
                await self._wake.wait()
            else:
                await self._clock.sleep(_RETRY_S)

    async def follow(self) -> None:
        """Mirror what is new now; a failure is told by `problem`."""
        try:
            async with self._one_at_a_time:
                await catch_up(self._store, self.mirror)
        except BpsError as error:
            if self.problem is None or self.problem.message != error.message:
                _log.error("checkpoints: %s", error.message)
            known, self.problem = self.problem, error
            if isinstance(error, StoreRolledBack) and not isinstance(known, StoreRolledBack):
                self._on_rollback(error)
        else:
            self.problem = self._changed

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            if not event.kv.key.startswith(keys.CHECKPOINTS):
                continue
            if event.deleted or event.kv.create_revision != event.kv.mod_revision:
                what = "removed" if event.deleted else "overwritten"
                number = keys.last_number(event.kv.key)
                msg = f"Checkpoint {number} was {what} in etcd, which no release does."
                self._changed = ChainBroken(msg, checkpoint=str(number))
            self._wake.set()
