"""Who else is there: the living sidecars and the leader, as the watch shows them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bps.core import keys
from bps.core.errors import BpsError, IntegrityError
from bps.core.ports import Clock, Key, Prefix, Read, Store, WatchBatch
from bps.core.txn import KV
from bps.leadership.election import Holder
from bps.sidecar.feed import Feed
from bps.sidecar.presence import SidecarPresence, presence_at

MAX_SIDECARS: Final = 500
"""How many are read and remembered; clusters have a handful."""
_RETRY_S: Final = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads. `url` is None where it has not said where it is asked."""

    name: str
    url: str | None


class Peers:
    """All living sidecars, this one included; run `run` as a task.

    They are read once when the watch begins and anew after a gap: one round trip. `on_change` is
    called when there may be others; it must not block or raise.
    """

    def __init__(self, store: Store, feed: Feed, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        #: By key: the revision that wrote it, and the record; None where it is gone or damaged.
        self._known: dict[bytes, tuple[int, Holder | SidecarPresence | None]] = {}
        #: By key: the revision that created it.
        self._created: dict[bytes, int] = {}
        self._complete = False
        self._wanted = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None
        feed.listen(self._learn, on_gap=self._forget)

    @property
    def sidecars(self) -> list[SidecarPresence]:
        """Those that live, by their keys."""
        return [
            found
            for _, (_, found) in sorted(self._known.items())
            if isinstance(found, SidecarPresence)
        ]

    def is_elder(self, name: str, than: str) -> bool:
        """Whether `name` said that it lives before `than` did; unknown ones are the youngest."""
        mine, other = keys.sidecar(name), keys.sidecar(than)
        if mine not in self._created:
            return False
        return other not in self._created or self._created[mine] < self._created[other]

    @property
    def leader(self) -> Leader | None:
        """Who leads now, as far as the watch has told."""
        _, holder = self._known.get(keys.LEADER_HOLDER, (0, None))
        if not isinstance(holder, Holder):
            return None
        _, found = self._known.get(keys.sidecar(holder.sidecar), (0, None))
        url = found.url if isinstance(found, SidecarPresence) else None
        return Leader(holder.sidecar, url)

    async def run(self) -> None:
        """Read all whenever the watch has begun anew, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                wanted: list[Read] = [
                    Key(keys.LEADER_HOLDER),
                    Prefix(keys.SIDECARS, limit=MAX_SIDECARS),
                ]
                snapshot = await self._store.snapshot(wanted)
            except BpsError as error:
                _log.info("the other sidecars cannot be read: %s", error.message)
                await self._clock.sleep(_RETRY_S)
                self._wanted.set()
                continue
            for answer in snapshot.answers:
                for kv in answer:
                    self._keep(kv)
            self._complete = True
            self._known = {key: entry for key, entry in self._known.items() if entry[1]}
            self.on_change()

    def _learn(self, batch: WatchBatch) -> None:
        changed = False
        for event in batch.events:
            key = event.kv.key
            if key == keys.LEADER_HOLDER or key.startswith(keys.SIDECARS):
                self._keep(event.kv, deleted=event.deleted)
                changed = True
        if changed:
            self.on_change()

    def _keep(self, kv: KV, *, deleted: bool = False) -> None:
        """The newest of each key wins: a read may bring what was replaced since."""
        revision, _ = self._known.get(kv.key, (0, None))
        if kv.mod_revision < revision:
            return
        if deleted and self._complete:
            self._known.pop(kv.key, None)
        elif deleted:
            self._known[kv.key] = (kv.mod_revision, None)
        elif kv.key in self._known or len(self._known) <= MAX_SIDECARS:
            self._known[kv.key] = (kv.mod_revision, _decoded(kv))
        if deleted or kv.key not in self._known:
            self._created.pop(kv.key, None)
        else:
            self._created[kv.key] = kv.create_revision

    def _forget(self) -> None:
        self._known.clear()
        self._created.clear()
        self._complete = False
        self._wanted.set()


def _decoded(kv: KV) -> Holder | SidecarPresence | None:
    """A damaged or a newer release's record tells nothing, and must not stop the others."""
    try:
        return Holder.decode(kv.value) if kv.key == keys.LEADER_HOLDER else presence_at(kv)
    except IntegrityError as error:
        _log.warning("%s is not used: %s", kv.key.decode(errors="replace"), error.message)
        return None
