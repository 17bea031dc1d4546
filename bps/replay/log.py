"""Reading one plan's log as a stream, at one pinned revision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from bps.core import keys
from bps.core.errors import ChainBroken, MalformedRecord, NotFound
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
        ChainBroken: its head is missing or damaged; facts: index 0, since no event is to blame.
    """
    plan_keys = keys.PlanKeys(plan)
    snapshot = await store.snapshot([Key(plan_keys.head), Key(plan_keys.record)])
    head, record = snapshot.answers
    if not head and not record and not await store.count(plan_keys.root):
        raise NotFound(f"There is no plan {plan}.", plan=plan)
    try:
        if head:
            return PinnedLog(
                plan, Head.decode(head[0].value, key=plan_keys.head), snapshot.revision
            )
        why = "it is missing"
    except MalformedRecord as error:
        why = error.message
    where = plan_keys.head.decode()
    msg = f"{plan}: the head of the log is broken: {why.removesuffix('.')}."
    raise ChainBroken(msg, plan=plan, index=0, key=where)


async def pages(
    store: Store,
    prefix: bytes,
    revision: int,
    *,
    limit: int = PAGE_EVENTS,
    keys_only: bool = False,
    key_of: Callable[[int], bytes] | None = None,
    last: int = 0,
) -> AsyncGenerator[tuple[KV, ...], None]:
    """All keys below `prefix` at `revision`; the next page is fetched while one is used.

    Where keys are numbered, `key_of` builds the n-th and `last` says how many to expect; any others
    come as well. Then each page but the last is asked for as a range that ends where the page
    should: for a page of an open range etcd counts all the rest of it (among 10^6 keys that took
    260 ms a page instead of 7).

    Memory: two pages. Raises Compacted, Unavailable.
    """
    end = keys.after_prefix(prefix)

    async def fetch(start: bytes, stop: bytes) -> tuple[tuple[KV, ...], bool]:
        page = await store.page(start, stop, limit=limit, revision=revision, keys_only=keys_only)
        return page.kvs, page.more

    def stop_of(first: int) -> bytes:
        return end if key_of is None or first + limit > last else key_of(first + limit)

    first, stop = 1, stop_of(1)
    coming: asyncio.Task[tuple[tuple[KV, ...], bool]] | None
    coming = asyncio.create_task(fetch(prefix, stop))
    try:
        while coming is not None:
            kvs, more = await coming
            if more:
                coming = asyncio.create_task(fetch(kvs[-1].key + b"\x00", stop))
            elif stop == end:
                coming = None
            else:
                start, first = stop, first + limit
                stop = stop_of(first) if len(kvs) == limit else end
                coming = asyncio.create_task(fetch(start, stop))
            if kvs:
                yield kvs
    finally:
        if coming is not None:
            coming.cancel()


class Bodies:
    """The bodies of a log, asked for in ascending order; each page is dropped when passed."""

    def __init__(self, store: Store, log: PinnedLog) -> None:
        plan_keys = keys.PlanKeys(log.plan)
        self._pages = pages(
            store, plan_keys.bodies, log.revision, key_of=plan_keys.body, last=log.head.seq
        )
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
