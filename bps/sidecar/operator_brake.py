"""Follows what the operator wants: read-only while the record in the store says so."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from bps.core import keys
from bps.core.errors import BpsError, IntegrityError
from bps.core.ports import Clock, Key, Store, WatchBatch
from bps.core.txn import KV
from bps.leadership.modes import Reason
from bps.leadership.operator_mode import wanted
from bps.sidecar.feed import Feed
from bps.sidecar.terms import Terms

_RETRY_S: Final = 0.5

_log = logging.getLogger(__name__)


class OperatorBrake:
    """Run `run` as a task: one round trip whenever the watch begins anew, none for a change.

    A record that cannot be read forbids writing too: somebody wanted something.
    """

    def __init__(self, store: Store, feed: Feed, clock: Clock, terms: Terms) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms
        self._revision = 0
        self._unread = asyncio.Event()
        feed.listen(self._learn, on_gap=self._read_again)

    async def run(self) -> None:
        """Read the record whenever changes may have been missed, until cancelled."""
        while True:
            await self._unread.wait()
            self._unread.clear()
            try:
                await self.check()
            except BpsError as error:
                _log.info("the operator's mode cannot be read: %s", error.message)
                await self._clock.sleep(_RETRY_S)
                self._unread.set()

    async def check(self) -> None:
        """Read the record and follow it. One round trip. Raises Unavailable."""
        snapshot = await self._store.snapshot([Key(keys.OPERATOR_MODE)])
        found = snapshot.answers[0]
        self._follow(found[0] if found else None, snapshot.revision)

    def _read_again(self) -> None:
        # What holds goes on to hold until the store was asked; a store that went back starts anew.
        self._revision = 0
        self._unread.set()

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            if event.kv.key == keys.OPERATOR_MODE:
                self._follow(None if event.deleted else event.kv, batch.revision)

    def _follow(self, stored: KV | None, revision: int) -> None:
        """The newest wins: a read may bring what was replaced since."""
        if revision < self._revision:
            return
        self._revision = revision
        error: BpsError | None
        try:
            error = wanted(stored).forbids()
        except IntegrityError as unreadable:
            error = unreadable
        if error is None:
            self._terms.release(Reason.OPERATOR)
        else:
            self._terms.hold(Reason.OPERATOR, error)
