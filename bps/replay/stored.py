"""The stored records of one plan, held against those that replay derives (R11)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing

from bps.core import keys
from bps.core.codec import SCHEMA, Record, schema_of
from bps.core.errors import MalformedRecord, ReplayDiverged
from bps.core.ports import Key, Read, Store
from bps.plans.model import RRPlan, Version
from bps.replay.log import PinnedLog, pages

_BATCH = 50
_BLOBS_REMEMBERED = 4_096


class StoredRecords:
    """Compares derived records with the stored ones; memory does not grow with their number."""

    def __init__(self, store: Store, log: PinnedLog) -> None:
        self._store = store
        self._log = log
        self._keys = keys.PlanKeys(log.plan)
        self._final: list[tuple[bytes, Record]] = []
        self._blobs: OrderedDict[str, None] = OrderedDict()
        self.compared = 0
        self.of_next_release = 0

    async def expect_final(self, key: bytes, record: Record) -> None:
        """`record` is derived and no later event can change it; compared soon, in a batch.

        Raises:
            ReplayDiverged: a record of the batch differs, or names a blueprint that is missing.
        """
        self._final.append((key, record))
        if len(self._final) >= _BATCH:
            await self.flush()

    async def flush(self) -> None:
        """Compare what `expect_final` collected. One round trip. Raises ReplayDiverged."""
        if not self._final:
            return
        final, self._final = self._final, []
        blobs = self._unseen_blobs([record for _, record in final])
        reads: list[Read] = [Key(key) for key, _ in final]
        reads += [Key(blob, keys_only=True) for blob in blobs]
        answers = (await self._store.snapshot(reads)).answers
        for (key, record), kvs in zip(final, answers, strict=False):
            self._compare(key, record, kvs[0].value if kvs else None)
        for blob, kvs in zip(blobs, answers[len(final) :], strict=True):
            if not kvs:
                raise self._diverged(blob, "is missing")

    async def expect_now(self, key: bytes, record: Record) -> None:
        """Compare one record at the pinned revision, and look for the blueprint that it names.

        One or two round trips. Raises ReplayDiverged.
        """
        self._compare(key, record, await self._pinned(key))
        for blob in self._unseen_blobs([record]):
            if await self._pinned(blob, keys_only=True) is None:
                raise self._diverged(blob, "is missing")

    async def expect_reverted(self, version: int, digest: str, size_bytes: int) -> None:
        """A revert published what `version` holds. Raises MalformedRecord, ReplayDiverged.

        The stored version is what its event says, as all final records were compared before it is
        read. Two round trips.
        """
        await self.flush()
        stored = await self._pinned(self._keys.version(version))
        target = Version.decode(stored) if stored is not None else None
        if target is None or (target.digest, target.size_bytes) != (digest, size_bytes):
            raise MalformedRecord(f"it does not publish what version {version} holds.")

    async def expect_count(
        self, prefix: bytes, expected: int, derived: Callable[[bytes], bool]
    ) -> None:
        """All expected keys were compared, so a surplus is a record that no event derives.

        `derived` tells such a key from the others. Raises ReplayDiverged.
        """
        revision = self._log.revision
        if await self._store.count(prefix, revision=revision) == expected:
            return
        key_pages = pages(self._store, prefix, revision, keys_only=True)
        async with aclosing(key_pages):
            async for page in key_pages:
                for kv in page:
                    if not derived(kv.key):
                        raise self._diverged(kv.key, "is derived by no event")
        raise self._diverged(prefix, f"does not hold {expected} keys")

    async def blob_count(self) -> int:
        """How many blueprints are stored; one that no record names is no harm."""
        return await self._store.count(self._keys.blobs, revision=self._log.revision)

    async def _pinned(self, key: bytes, *, keys_only: bool = False) -> bytes | None:
        page = await self._store.page(
            key, key + b"\x00", limit=1, revision=self._log.revision, keys_only=keys_only
        )
        return page.kvs[0].value if page.kvs else None

    def _unseen_blobs(self, records: list[Record]) -> list[bytes]:
        """Keys of blobs that `records` name and that were not looked for lately."""
        unseen = []
        for record in records:
            for digest in _named_by(record):
                if digest in self._blobs:
                    self._blobs.move_to_end(digest)
                    continue
                unseen.append(self._keys.blob(digest))
                self._blobs[digest] = None
                if len(self._blobs) > _BLOBS_REMEMBERED:
                    self._blobs.popitem(last=False)
        return unseen

    def _compare(self, key: bytes, record: Record, stored: bytes | None) -> None:
        self.compared += 1
        try:
            expected = record.encode()
        except TypeError:
            # A forged event can hold a number that canonical JSON does not; no record does.
            expected = b""
        if stored is None:
            raise self._diverged(key, "is missing")
        if stored != expected and not self._of_another_release(key, record, expected, stored):
            raise self._diverged(key, "differs from what the events say")

    def _of_another_release(
        self, key: bytes, record: Record, expected: bytes, stored: bytes
    ) -> bool:
        """Whether a release before or after this one wrote `stored` and meant `record`.

        Of the next release's records, the fields that this one knows are compared.
        """
        schema = schema_of(stored)
        if 0 < schema < SCHEMA:
            return stored == record.encode_as(schema)
        if schema <= SCHEMA:
            return False
        try:
            found = type(record).decode(stored, key=key)
        except MalformedRecord:
            return False
        self.of_next_release += 1
        return found.encode() == stored and found.encode_as(SCHEMA) == expected

    def _diverged(self, key: bytes, what: str) -> ReplayDiverged:
        where = key.decode(errors="replace")
        msg = f"{self._log.plan}: the stored record {where} {what}."
        return ReplayDiverged(msg, plan=self._log.plan, key=where)


def _named_by(record: Record) -> list[str]:
    """The digests of the blueprint and of the report that a record names."""
    named = [record.digest] if isinstance(record, Version | RRPlan) else []
    if isinstance(record, Version):
        named.append(record.origins)
    return [digest for digest in named if digest is not None]
