"""Every key at every revision since the last compaction, and the changes in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from bps.core.errors import Compacted, StoreRefused
from bps.core.ports import WatchBatch, WatchEvent
from bps.core.txn import KV
from bps.store.memory.sorted_keys import SortedKeys


class History:
    """A multi-version map. An empty one is at revision 1, as etcd's."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self._keys = SortedKeys()
        self._versions: dict[bytes, list[WatchEvent]] = {}
        self._batches: list[WatchBatch] = []

    def latest(self, key: bytes) -> KV | None:
        """The key as it is now."""
        versions = self._versions.get(key)
        return None if versions is None or versions[-1].deleted else versions[-1].kv

    def range(
        self, start: bytes, end: bytes | None, *, revision: int = 0, descending: bool = False
    ) -> Iterator[KV]:
        """The keys of [start, end) at `revision` (0: now); an `end` of None is open.

        Raises:
            Compacted: `revision` is gone.
            StoreRefused: `revision` does not exist yet.
        """
        if revision:
            self.check(revision)
        walk = self._keys.descending if descending else self._keys.ascending
        return self._present(walk(start, end), revision)

    def _present(self, keys: Iterator[bytes], revision: int) -> Iterator[KV]:
        for key in keys:
            versions = self._versions[key]
            at = len(versions)
            if revision and versions[-1].kv.mod_revision > revision:
                at = bisect_right(versions, revision, key=_revision_of)
            if at and not versions[at - 1].deleted:
                yield versions[at - 1].kv

    def check(self, revision: int) -> None:
        """Raise unless `revision` can be read."""
        if revision < self.compacted:
            raise compacted_error(revision, self.compacted)
        if revision > self.revision:
            raise StoreRefused(
                f"The revision {revision} does not exist yet; the newest is {self.revision}.",
                revision=revision,
            )

    def append(self, changes: Sequence[KV | bytes]) -> None:
        """Apply the changes of one new revision: written keys (revisions filled in) or deleted.

        A deletion names a present key; without changes there is no new revision.
        """
        if not changes:
            return
        self.revision += 1
        events: list[WatchEvent] = []
        for change in changes:
            if isinstance(change, bytes):
                event = WatchEvent(KV(change, b"", 0, self.revision), deleted=True)
            else:
                before = self.latest(change.key)
                created = self.revision if before is None else before.create_revision
                written = KV(change.key, change.value, created, self.revision, change.lease_id)
                event = WatchEvent(written, deleted=False)
            versions = self._versions.get(event.kv.key)
            if versions is None:
                self._versions[event.kv.key] = [event]
                self._keys.add(event.kv.key)
            else:
                versions.append(event)
            events.append(event)
        self._batches.append(WatchBatch(self.revision, tuple(events)))

    def since(self, revision: int) -> Iterator[WatchBatch]:
        """The changes from `revision` on, as they are now.

        Raises:
            Compacted: some of them are gone.
        """
        if revision < self.compacted:
            raise compacted_error(revision, self.compacted)
        at = bisect_left(self._batches, revision, key=lambda batch: batch.revision)
        return iter(self._batches[at:])

    def compact(self, revision: int) -> None:
        """Forget what was superseded before `revision`.

        Raises:
            Compacted: that happened already.
            StoreRefused: `revision` does not exist yet.
        """
        if revision <= self.compacted:
            raise compacted_error(revision, self.compacted)
        self.check(revision)
        self.compacted = revision
        del self._batches[: bisect_left(self._batches, revision, key=lambda batch: batch.revision)]
        for key in list(self._versions):
            versions = self._versions[key]
            kept = bisect_right(versions, revision, key=_revision_of) - 1
            if kept < 0:
                continue
            if versions[kept].deleted:
                kept += 1
            del versions[:kept]
            if not versions:
                del self._versions[key]
                self._keys.discard(key)


def _revision_of(event: WatchEvent) -> int:
    return event.kv.mod_revision


def compacted_error(revision: int, compacted: int) -> Compacted:
    """`revision` is before the last compaction."""
    return Compacted(
        f"Revision {revision} was compacted (up to {compacted}); list again.",
        compact_revision=compacted,
    )
