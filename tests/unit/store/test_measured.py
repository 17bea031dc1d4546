"""Each request to a measured store is counted once, by its operation and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest

from bps.core.errors import (
    BpsError,
    Compacted,
    LeaseNotFound,
    NoSpace,
    OutcomeUnknown,
    QuorumLost,
    Unavailable,
)
from bps.core.ports import Key, Snapshot
from bps.core.txn import Put, Txn, absent
from bps.store.measured import OUTCOMES, MeasuredStore
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous
from tests.doubles import Fault, FaultyStore, ManualClock
from tests.doubles.forwarding_store import ForwardingStore

Seen = list[tuple[str, str]]


def measured() -> tuple[MeasuredStore, FaultyStore, Seen]:
    seen: Seen = []

    def observe(operation: str, outcome: str, duration_s: float) -> None:
        assert duration_s >= 0
        assert outcome in OUTCOMES
        seen.append((operation, outcome))

    faulty = FaultyStore(MemoryStore(ManualClock()))
    return MeasuredStore(faulty, observe), faulty, seen


@asynchronous
async def test_every_operation_is_named_and_answers_as_the_store_inside() -> None:
    store, faulty, seen = measured()
    put = Txn((absent(b"/a"),), (Put(b"/a", b"1"),))
    await store.commit(put)
    await store.commit(put)
    lease = await store.lease_grant(10)
    await store.lease_keepalive(lease.lease_id)
    await store.lease_revoke(lease.lease_id)
    assert await store.snapshot([Key(b"/a")]) == await faulty.inner.snapshot([Key(b"/a")])
    assert (await store.page(b"/", b"0", limit=5)).kvs
    assert await store.count(b"/") == 1
    assert await store.status() == await faulty.inner.status()
    async with aclosing(store.watch(b"/", start_revision=1)) as batches:
        assert (await anext(batches)).events
    await store.compact(2)
    assert store.capabilities == faulty.capabilities
    assert seen == [
        ("commit", "ok"),
        ("commit", "conflict"),
        ("lease_grant", "ok"),
        ("lease_keepalive", "ok"),
        ("lease_revoke", "ok"),
        ("snapshot", "ok"),
        ("page", "ok"),
        ("count", "ok"),
        ("status", "ok"),
        ("compact", "ok"),
    ]
    await store.close()


@pytest.mark.parametrize(
    ("fault", "error", "outcome"),
    [
        (Fault.UNAVAILABLE, Unavailable, "unavailable"),
        (Fault.LOSE_REPLY, OutcomeUnknown, "unknown"),
        (Fault.NO_SPACE, NoSpace, "no_space"),
        (Fault.NO_LEASE, LeaseNotFound, "refused"),
    ],
)
@asynchronous
async def test_a_failure_is_named_and_passed_on(
    fault: Fault, error: type[BpsError], outcome: str
) -> None:
    store, faulty, seen = measured()
    faulty.script.append(fault)
    with pytest.raises(error):
        await store.commit(Txn((), (Put(b"/a", b"1"),)))
    assert seen == [("commit", outcome)]


class Raising(ForwardingStore):
    """Each snapshot does what it is told to."""

    def __init__(self, act: Callable[[], Awaitable[Snapshot]]) -> None:
        super().__init__(MemoryStore(ManualClock()))
        self._act = act

    async def snapshot(self, *_: object, **__: object) -> Snapshot:
        return await self._act()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (QuorumLost("no quorum"), "unavailable"),
        (Compacted("gone"), "refused"),
        (ZeroDivisionError(), "interrupted"),
        (asyncio.CancelledError(), "interrupted"),
    ],
)
@asynchronous
async def test_whatever_ends_a_request_is_counted_once(error: BaseException, outcome: str) -> None:
    async def act() -> Snapshot:
        raise error

    seen: Seen = []
    store = MeasuredStore(Raising(act), lambda operation, how, _: seen.append((operation, how)))
    with pytest.raises(type(error)):
        await store.snapshot([])
    assert seen == [("snapshot", outcome)]
