"""The canonical versions as the watch shows them: a read that costs the store nothing.

A kept version is served only while the feed is current, and never one older than what this sidecar
published. So another sidecar's promotion shows here as soon as the watch tells it, and after 3 s at
the latest, whatever became of the watch. `fresh` reads the store.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from bps.core import keys
from bps.core.errors import Unavailable
from bps.core.ports import Store, WatchBatch
from bps.core.txn import KV
from bps.plans.model import Version
from bps.plans.read import plan_detail
from bps.plans.stored import version_at
from bps.sidecar.degraded import Reading
from bps.sidecar.feed import Feed

MAX_PLANS = 10_000
MAX_BYTES = 32 * 2**20
"""Of values as stored; a version with a clock of 256 entries has about 20 KB."""
_SUFFIX = b"/canonical"
_OVERHEAD_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A canonical version, and a revision of the store at which it was canonical."""

    version: Version
    revision: int

    @property
    def etag(self) -> str:
        """The strong entity tag `"{version}-{digest}"` (RFC 9110; design, "Edges")."""
        return f'"{self.version.version}-{self.version.digest}"'


@dataclass(slots=True)
class _Entry:
    """What was canonical at `revision`: as the watch told it, or decoded; None: it was deleted."""

    revision: int
    size_bytes: int
    found: KV | KnownVersion | None


class CanonicalVersions:
    """Canonical versions by plan, least recently used out first: at most 10,000, and 32 MiB."""

    def __init__(self, store: Store, feed: Feed, *, max_plans: int = MAX_PLANS) -> None:
        self._store = store
        self._feed = feed
        self._max_plans = max_plans
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._size_bytes = 0
        self._forgotten = 0
        self._published: OrderedDict[str, int] = OrderedDict()
        feed.listen(self._learn, on_gap=self._forget)

    async def get(
        self, plan: str, *, fresh: bool = False, reading: Reading | None = None
    ) -> KnownVersion:
        """The canonical version: no round trip where it is known, else one, or with `fresh`.

        `reading` learns how it was read. Where nobody answers it, what is known is the answer,
        however old.

        Raises:
            NotFound: there is no such plan.
            Unavailable: the store does not answer.
        """
        if not fresh and self._feed.current:
            known = self._current(plan, reading)
            if known is not None:
                return known
        try:
            detail = await plan_detail(reading or self._store, plan)
        except Unavailable:
            known = self._current(plan, reading) if reading is not None else None
            if known is None:
                raise
            return known
        self._keep(plan, detail.revision, _read_size(detail.canonical), detail.canonical)
        # The watch may have told a newer one meanwhile, which others were given already.
        entry = self._entries.get(plan)
        if entry is not None and entry.revision > detail.revision and entry.found is not None:
            return self._decoded(plan, entry, entry.found)
        return KnownVersion(detail.canonical, detail.revision)

    def published(self, plan: str, revision: int) -> None:
        """This sidecar wrote in `plan` at `revision`: nothing older may be served any more."""
        if revision > max(self._feed.revision, self._published.get(plan, 0)):
            self._published[plan] = revision
            self._published.move_to_end(plan)

    def _current(self, plan: str, reading: Reading | None) -> KnownVersion | None:
        entry = self._entries.get(plan)
        if entry is None or entry.found is None:
            return None
        # What the watch has not changed since still was canonical at the feed's revision.
        revision = max(entry.revision, self._feed.revision)
        if revision < self._published.get(plan, 0):
            return None
        if reading is not None and not reading.from_cache(revision):
            return None
        self._entries.move_to_end(plan)
        known = self._decoded(plan, entry, entry.found)
        return known if known.revision == revision else replace(known, revision=revision)

    def _decoded(self, plan: str, entry: _Entry, found: KV | KnownVersion) -> KnownVersion:
        if isinstance(found, KV):
            found = KnownVersion(version_at(keys.PlanKeys(plan), found), entry.revision)
            entry.found = found
        return found

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            key = event.kv.key
            if key.endswith(_SUFFIX) and key.startswith(keys.PLAN_DATA):
                plan = key[len(keys.PLAN_DATA) : -len(_SUFFIX)].decode(errors="replace")
                if key == keys.PlanKeys(plan).canonical and "/" not in plan:
                    found = None if event.deleted else event.kv
                    self._keep(plan, batch.revision, len(event.kv.value), found)
        while self._published and next(iter(self._published.values())) <= batch.revision:
            self._published.popitem(last=False)

    def _keep(self, plan: str, revision: int, size_bytes: int, found: KV | Version | None) -> None:
        """Take what was canonical at `revision`, unless something newer is or was known."""
        before = self._entries.get(plan)
        if revision < (before.revision if before is not None else self._forgotten):
            return
        if before is not None:
            self._size_bytes -= before.size_bytes
        kept = KnownVersion(found, revision) if isinstance(found, Version) else found
        self._entries[plan] = _Entry(revision, size_bytes + _OVERHEAD_BYTES, kept)
        self._entries.move_to_end(plan)
        self._size_bytes += size_bytes + _OVERHEAD_BYTES
        while len(self._entries) > self._max_plans or self._size_bytes > MAX_BYTES:
            _, dropped = self._entries.popitem(last=False)
            self._size_bytes -= dropped.size_bytes
            self._forgotten = max(self._forgotten, dropped.revision)

    def _forget(self) -> None:
        """Changes up to the feed's revision were missed; what was read before may be outdated."""
        self._entries.clear()
        self._size_bytes = 0
        self._forgotten = self._feed.revision


def _read_size(version: Version) -> int:
    """About what the record takes as stored."""
    return 600 + 80 * len(version.clock)
