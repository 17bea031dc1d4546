"""Blueprints as the watch brought them: the last resort of a read when no member answers."""

from __future__ import annotations

from collections import OrderedDict

from bps.core import keys
from bps.core.errors import Unavailable
from bps.core.ports import WatchBatch
from bps.plans.blob import unpack
from bps.plans.read import blueprint
from bps.sidecar.degraded import Consistency, Reading
from bps.sidecar.feed import Feed

MAX_BYTES = 16 * 2**20
"""Of blobs as stored, compressed."""
_BLOBS = b"/blobs/"


class RecentBlueprints:
    """Blobs by key, the longest unused out first. Their names are digests: none is ever stale."""

    def __init__(self, feed: Feed, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._packed: OrderedDict[bytes, bytes] = OrderedDict()
        feed.listen(self._learn, on_gap=self._forget)

    async def get(self, reading: Reading, plan: str, digest: str) -> bytes:
        """The blueprint that a record read by `reading` names, checked against `digest`.

        Cost: as `Reading.snapshot`.

        Raises:
            DigestMismatch: it is not stored, or other bytes are.
            Unavailable: no member answers, and it is not in memory.
        """
        try:
            return await blueprint(reading, plan, digest)
        except Unavailable:
            key = keys.PlanKeys(plan).blob(digest)
            packed = self._packed.get(key)
            if packed is None:
                raise
            # What a digest names never changes: the record's revision was checked already.
            reading.consistency = Consistency.CACHE
            self._packed.move_to_end(key)
            return unpack(packed, digest)

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            key = event.kv.key
            if not key.startswith(keys.PLAN_DATA) or _BLOBS not in key:
                continue
            self._size_bytes -= len(self._packed.pop(key, b""))
            if not event.deleted:
                self._packed[key] = event.kv.value
                self._size_bytes += len(event.kv.value)
        while self._size_bytes > self._max_bytes:
            _, dropped = self._packed.popitem(last=False)
            self._size_bytes -= len(dropped)

    def _forget(self) -> None:
        self._packed.clear()
        self._size_bytes = 0
