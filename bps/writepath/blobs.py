"""The last blobs that one write path wrote or read: what was submitted is soon judged or merged."""

from __future__ import annotations

from collections import OrderedDict

from bps.core.keys import PlanKeys
from bps.core.txn import Put, Txn

_KEPT_BYTES = 8 * 1_048_576


class RecentBlobs:
    """Values of blobs by their keys. A blob is named by its digest, so that it cannot be stale."""

    def __init__(self, kept_bytes: int = _KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._values: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = 0

    def get(self, key: bytes) -> bytes | None:
        """None: it has to be read."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def keep(self, key: bytes, value: bytes) -> None:
        """What the store holds under `key`, checked against the digest there."""
        self._size += len(value) - len(self._values.pop(key, b""))
        self._values[key] = value
        while self._size > self._kept_bytes:
            self._size -= len(self._values.popitem(last=False)[1])

    def learn(self, plan: str, txn: Txn) -> None:
        """What a transaction that was applied has put."""
        blobs = PlanKeys(plan).blobs
        for put in txn.operations:
            if isinstance(put, Put) and put.key.startswith(blobs):
                self.keep(put.key, put.value)
