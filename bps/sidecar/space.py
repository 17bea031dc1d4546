"""Looks how full etcd is, and holds growing writes up while there is no room (R13)."""

from __future__ import annotations

import asyncio
from typing import Final

from bps.core.errors import BpsError, NoSpace
from bps.core.ports import Clock, Store
from bps.leadership.modes import Reason
from bps.sidecar.terms import Terms
from bps.space.verdict import RECLAIM, Space, no_room, space_of

CALM_S: Final = 5.0
HELD_S: Final = 1.0


class SpaceWatch:
    """Run `run` as a task: a status request to each member every 5 s, while held every second.

    `latest` is what the members said last. Where they tell us nothing (a user without the role
    root), a write that etcd refuses holds the others up until the next look.
    """

    def __init__(self, store: Store, clock: Clock, terms: Terms, quota_bytes: int) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms
        self._quota_bytes = quota_bytes
        self._wake = asyncio.Event()
        self._held = False
        self.latest: Space | None = None

    def met(self, error: BpsError) -> None:
        """A write ended so; one that was refused for want of space holds the others up at once."""
        if isinstance(error, NoSpace) and not self._held:
            told = NoSpace(error.message, **error.facts)
            self._hold(told.advising(RECLAIM))
            self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look()
            sleeping = asyncio.ensure_future(self._clock.sleep(HELD_S if self._held else CALM_S))
            waking = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait([sleeping, waking], return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                waking.cancel()
            if self._wake.is_set():
                self._wake.clear()
                # The alarm rises a moment after the write that was refused.
                await self._clock.sleep(HELD_S)

    async def _look(self) -> None:
        try:
            space = space_of(await self._store.status(), self._quota_bytes)
        except BpsError:
            space = None
        if space is None:
            # A quorum that is lost is another's to say; what a write met is tried again.
            if self.latest is None:
                self._release()
            return
        self.latest = space
        error = no_room(space, held=self._held)
        if error is None:
            self._release()
        else:
            self._hold(error)

    def _hold(self, error: NoSpace) -> None:
        self._held = True
        self._terms.hold(Reason.NO_SPACE, error)

    def _release(self) -> None:
        if self._held:
            self._held = False
            self._terms.release(Reason.NO_SPACE)
