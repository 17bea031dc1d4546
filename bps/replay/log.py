"""Reading one plan's log as a stream, at one pinned revision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import NotFound
from bps.core.ports import Key, Store
from bps.core.txn import KV
from bps.plans.model import Head

PAGE_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class PinnedLog:
    """A plan's head, and the revision at which all of the plan is read."""

    plan: str
    head: Head
    revision: int


async def pin(store: Store, plan: str) -> PinnedLog:
    """Read the head linearizably; one round trip.

    Raises:
        NotFound: no such plan.
    """
    snapshot = await store.snapshot([Key(keys.PlanKeys(plan).head)])
    if not snapshot.answers[0]:
        raise NotFound(f"There is no plan {plan}.", plan=plan)
    return PinnedLog(plan, Head.decode(snapshot.answers[0][0].value), snapshot.revision)


async def pages(
    store: Store, prefix: bytes, revision: int, *, limit: int = PAGE_EVENTS, keys_only: bool = False
) -> AsyncGenerator[tuple[KV, ...], None]:
    """All keys below `prefix` at `revision`; the next page is fetched while one is used.

    Memory: two pages. Raises Compacted, Unavailable.
    """
    end = keys.after_prefix(prefix)

    async def fetch(start: bytes) -> tuple[tuple[KV, ...], bool]:
        page = await store.page(start, end, limit=limit, revision=revision, keys_only=keys_only)
        return page.kvs, page.more

    coming = asyncio.create_task(fetch(prefix))
    try:
        more = True
        while more:
            kvs, more = await coming
            if more:
                coming = asyncio.create_task(fetch(kvs[-1].key + b"\x00"))
            if kvs:
                yield kvs
    finally:
        coming.cancel()


class Bodies:
    """The bodies of a log, asked for in ascending order; each page is dropped when passed."""

    def __init__(self, store: Store, log: PinnedLog) -> None:
        self._pages = pages(store, keys.PlanKeys(log.plan).bodies, log.revision)
        self._held: dict[bytes, bytes] = {}
        self._last = b""
        self._ended = False

    async def get(self, key: bytes) -> bytes | None:
        """The body at `key`, or None where there is none."""
        while not self._ended and key > self._last:
            self._held = {}
            page = await anext(self._pages, None)
            if page is None:
                self._ended = True
                break
            self._held = {kv.key: kv.value for kv in page}
            self._last = page[-1].key
        return self._held.get(key)

    async def close(self) -> None:
        """Stop reading ahead."""
        await self._pages.aclose()
