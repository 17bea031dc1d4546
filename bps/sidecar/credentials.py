"""Credentials in memory, as the watch shows them: to look one up costs the store nothing.

They are loaded by pages when the watch begins, and anew after a gap. Until that is done, and while
the watch is down, each look-up reads the store. What another sidecar changes is seen when the watch
brings it; what this one changed is seen at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bps.core import keys
from bps.core.errors import BpsError, IntegrityError
from bps.core.ports import Clock, Key, Store, WatchBatch
from bps.core.txn import KV
from bps.identity.credential import Credential, credential_at
from bps.sidecar.degraded import DegradedReads
from bps.sidecar.feed import Feed

_PAGE = 500
_RETRY_S = 0.5

_log = logging.getLogger(__name__)


class Credentials:
    """All credentials by id, at most 10,000; run `run` as a task to have them in memory."""

    def __init__(
        self, store: Store, feed: Feed, clock: Clock, degraded: DegradedReads | None = None
    ) -> None:
        """`degraded` is how a look-up reads that cannot be answered from memory."""
        self._store = store
        self._degraded = degraded or DegradedReads(store, feed, clock)
        self._feed = feed
        self._clock = clock
        #: By id: the revision that wrote it, and the record; None where it was deleted or damaged.
        self._known: dict[str, tuple[int, Credential | None]] = {}
        self._complete = False
        self._generation = 0
        self._wanted = asyncio.Event()
        feed.listen(self._learn, on_gap=self._forget)

    @property
    def warm(self) -> bool:
        """Whether look-ups are answered from memory."""
        return self._complete and self._feed.current

    @property
    def in_memory(self) -> bool:
        """Whether look-ups cost no read: while warm, and while the quorum is lost."""
        return self.warm or (self._complete and self._degraded.quorum_lost)

    def remembered(self, credential_id: str) -> Credential | None:
        """What was last known of a credential; it may have changed since."""
        return self._known.get(credential_id, (0, None))[1]

    async def find(self, credential_ids: Sequence[str]) -> list[Credential]:
        """Those of the ids (at most 120) that there are, in their order, the ended ones too.

        Cost: nothing while warm, else one round trip. While the quorum is lost those in memory
        hold, and one member is asked where they are not loaded: what the rest of a divided cluster
        revokes meanwhile is not seen here.

        Raises:
            Unavailable: the store does not answer.
        """
        if not self.in_memory:
            reading = self._degraded.reading()
            snapshot = await reading.snapshot([Key(keys.token(i)) for i in credential_ids])
            for answer in snapshot.answers:
                for kv in answer:
                    self._keep(kv)
            present = {kv.key for answer in snapshot.answers for kv in answer}
            credential_ids = [i for i in credential_ids if keys.token(i) in present]
        found = (self._known.get(credential_id, (0, None))[1] for credential_id in credential_ids)
        return [credential for credential in found if credential is not None]

    def wrote(self, revision: int, *credentials: Credential) -> None:
        """This sidecar wrote `credentials` at `revision`; 0: earlier, it is not known when.

        A revocation holds from now on, whatever its revision: none is ever taken back.
        """
        for credential in credentials:
            known, _ = self._known.get(credential.id, (0, None))
            if revision > known or credential.revoked_ms is not None:
                self._known[credential.id] = (max(revision, known), credential)

    async def run(self) -> None:
        """Load all whenever the watch has begun anew, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._load()
            except BpsError as error:
                _log.warning("credentials cannot be loaded: %s", error.message)
                await self._clock.sleep(_RETRY_S)
                self._wanted.set()

    async def _load(self) -> None:
        """Read all pages; what the watch brought meanwhile is newer and stays."""
        generation = self._generation
        start, end = keys.TOKENS, keys.after_prefix(keys.TOKENS)
        more = True
        while more:
            page = await self._store.page(start, end, limit=_PAGE)
            if generation != self._generation:
                return
            for kv in page.kvs:
                self._keep(kv)
            more = page.more
            if page.kvs:
                start = page.kvs[-1].key + b"\0"
        self._known = {name: entry for name, entry in self._known.items() if entry[1] is not None}
        self._complete = True

    def _learn(self, batch: WatchBatch) -> None:
        for event in batch.events:
            if not event.kv.key.startswith(keys.TOKENS):
                continue
            self._keep(event.kv, deleted=event.deleted)

    def _keep(self, kv: KV, *, deleted: bool = False) -> None:
        name = kv.key.removeprefix(keys.TOKENS).decode(errors="replace")
        revision, _ = self._known.get(name, (0, None))
        if kv.mod_revision < revision:
            return
        if deleted and self._complete:
            self._known.pop(name, None)
            return
        if deleted:
            # A page that was read before may still bring it.
            self._known[name] = (kv.mod_revision, None)
            return
        try:
            self._known[name] = (kv.mod_revision, credential_at(kv))
        except IntegrityError as error:
            # A damaged or a newer release's record lets nobody in, and must not stop the others.
            _log.warning("credential %s is not used: %s", name, error.message)
            self._known[name] = (kv.mod_revision, None)

    def _forget(self) -> None:
        self._known.clear()
        self._complete = False
        self._generation += 1
        self._wanted.set()
