"""The canonical versions as the watch shows them: a read that costs the store nothing.

A kept version is served only while the watch is warm, and never one older than what this sidecar
itself has published. On another sidecar it can be behind by the time that the watch needs.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from bps.core import keys
from bps.core.ports import Store, WatchBatch
from bps.core.txn import KV
from bps.plans.model import Version
from bps.plans.read import plan_detail
from bps.plans.stored import version_at
from bps.sidecar.feed import Feed

MAX_PLANS = 10_000
_SUFFIX = b"/canonical"


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A canonical version, and a revision of the store at which it was canonical."""

    version: Version
    revision: int

    @property
    def etag(self) -> str:
        """The strong entity tag `"{version}-{digest}"` (RFC 9110; design, "Edges")."""
        return f'"{self.version.version}-{self.version.digest}"'


class CanonicalVersions:
    """Canonical versions by plan, at most 10,000, least recently used out first."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store = store
        self._feed = feed
        self._known: OrderedDict[str, KnownVersion | KV] = OrderedDict()
        self._published: dict[str, int] = {}
        feed.listen(self._learn, on_gap=self._known.clear)

    async def get(self, plan: str, *, fresh: bool = False) -> KnownVersion:
        """The canonical version: no round trip where it is known, else one, or with `fresh`.

        Raises:
            NotFound: there is no such plan.
            Unavailable: the store does not answer.
        """
        if not fresh and self._feed.warm and self._has_seen_own_writes(plan):
            known = self._known.get(plan)
            if known is not None:
                self._known.move_to_end(plan)
                return self._decoded(plan, known)
        detail = await plan_detail(self._store, plan)
        found = KnownVersion(detail.canonical, detail.revision)
        self._keep(plan, found, detail.revision)
        return found

    def published(self, plan: str, revision: int) -> None:
        """This sidecar wrote in `plan` at `revision`: nothing older may be served any more."""
        if revision > self._feed.revision:
            self._published[plan] = revision

    def _has_seen_own_writes(self, plan: str) -> bool:
        revision = self._published.get(plan)
        if revision is None:
            return True
        if revision > self._feed.revision:
            return False
        del self._published[plan]
        return True

    def _decoded(self, plan: str, known: KnownVersion | KV) -> KnownVersion:
        if isinstance(known, KV):
            known = KnownVersion(version_at(keys.PlanKeys(plan), known), known.mod_revision)
            self._known[plan] = known
        return known

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            key = event.kv.key
            if key.startswith(keys.PLAN_DATA) and key.endswith(_SUFFIX):
                plan = key[len(keys.PLAN_DATA) : -len(_SUFFIX)].decode(errors="replace")
                if event.deleted:
                    self._known.pop(plan, None)
                elif key == keys.PlanKeys(plan).canonical:
                    self._keep(plan, event.kv, event.kv.mod_revision)

    def _keep(self, plan: str, found: KnownVersion | KV, revision: int) -> None:
        known = self._known.get(plan)
        before = 0
        if known is not None:
            before = known.mod_revision if isinstance(known, KV) else known.revision
        if revision >= before:
            self._known[plan] = found
            self._known.move_to_end(plan)
        if len(self._known) > MAX_PLANS:
            self._known.popitem(last=False)
