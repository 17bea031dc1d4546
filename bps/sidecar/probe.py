"""Asks the store twice a second whether it has a quorum, and holds writing up where it has none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from bps.core import keys
from bps.core.errors import BpsError, Unavailable
from bps.core.ports import Clock, Key, Store
from bps.core.txn import KV, Fence
from bps.leadership.modes import Reason
from bps.leadership.probe import Probed, is_unknown, verdict
from bps.sidecar.terms import Terms


class QuorumProbe:
    """Run `run` as a task; tell `met` of each failed write. Cost: one read each 500 ms.

    What it finds is told to `terms`: as holds, and that a term is over whose key is gone.
    """

    def __init__(self, store: Store, clock: Clock, terms: Terms) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms
        self._met_s: float | None = None

    def met(self, error: BpsError) -> None:
        """A write failed: with an error that has no name, nothing more is written for now.

        It ends with a probe that begins later and finds our term in the store.
        """
        if is_unknown(error):
            self._met_s = self._clock.monotonic_s()
            self._terms.hold(Reason.UNKNOWN_STORE_ERROR, error)

    async def run(self) -> None:
        """Probe until cancelled."""
        probed = Probed(self._clock.monotonic_s())
        while True:
            begun_s = self._clock.monotonic_s()
            probed = await self._once(probed, begun_s)
            await self._clock.sleep(probed.pause_s(begun_s, self._clock.monotonic_s()))

    async def _once(self, probed: Probed, begun_s: float) -> Probed:
        fence = self._terms.fence
        # The last proof may have become stale while nothing was asked.
        self._judge(probed)
        try:
            holder = await _bounded(self._ask(), probed.deadline_s(begun_s))
        except BpsError as error:
            probed = probed.failed(error)
            self._judge(probed)
            return probed
        self._terms.release(Reason.QUORUM_LOST)
        if fence is not None and not _holds(fence, holder):
            self._terms.gone(fence)
        elif self._met_s is None or self._met_s < begun_s:
            self._met_s = None
            self._terms.release(Reason.UNKNOWN_STORE_ERROR)
        return probed.succeeded(begun_s)

    def _judge(self, probed: Probed) -> None:
        found = verdict(probed, self._clock.monotonic_s())
        if found is not None:
            self._terms.hold(found.reason, found.error)

    async def _ask(self) -> KV | None:
        """The leader key; any linearizable read would do, and this one proves the term as well."""
        answers = (await self._store.snapshot([Key(keys.SCHEMA), Key(keys.LEADER_HOLDER)])).answers
        return answers[1][0] if answers[1] else None


def _holds(fence: Fence, holder: KV | None) -> bool:
    """The fence was had before the read began, so a key that is gone is gone for good."""
    return holder is not None and holder.create_revision == fence.create_revision


async def _bounded(asked: Awaitable[KV | None], deadline_s: float) -> KV | None:
    """Raises Unavailable where no answer comes in time."""
    try:
        async with asyncio.timeout(deadline_s):
            return await asked
    except TimeoutError:
        raise Unavailable(f"No answer came within {deadline_s:.1f} s.") from None
