"""Watches: complete, in order, one batch a revision."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from bps.core.errors import Compacted
from bps.core.ports import Capability, Key
from bps.core.txn import Delete, Put, Txn
from tests.asynchronous import asynchronous
from tests.conformance.subjects import Subject, take

pytestmark = pytest.mark.needs(Capability.WATCH)


@asynchronous
async def test_a_watch_starts_in_the_past_and_goes_on(subject: Subject) -> None:
    async with subject.open() as store:
        key = subject.key("a")
        made = await store.commit(Txn((), (Put(key, b"1"),)))
        changed = await store.commit(Txn((), (Put(key, b"2"), Put(subject.key("b"), b"2"))))
        watching = asyncio.create_task(take(store, subject.prefix, made.revision, 4))
        await store.commit(Txn((), (Put(b"/beside" + subject.prefix, b""),)))
        deleted = await store.commit(Txn((), (Delete(key),)))
        again = await store.commit(Txn((), (Put(key, b"3"),)))
        batches = await watching
        assert [batch.revision for batch in batches] == [
            made.revision,
            changed.revision,
            deleted.revision,
            again.revision,
        ]
        assert [[(e.kv.key, e.kv.value, e.deleted) for e in b.events] for b in batches] == [
            [(key, b"1", False)],
            [(key, b"2", False), (subject.key("b"), b"2", False)],
            [(key, b"", True)],
            [(key, b"3", False)],
        ]
        first, _, last, remade = (batch.events[0].kv for batch in batches)
        assert first.create_revision == first.mod_revision == made.revision
        assert last.mod_revision == deleted.revision
        assert remade.create_revision == again.revision


@asynchronous
async def test_a_watch_sees_what_happens_later(subject: Subject) -> None:
    async with subject.open() as store, subject.open() as writer:
        start = (await store.snapshot([Key(b"x")])).revision + 1
        watching = asyncio.create_task(take(store, subject.prefix, start, 300))
        for n in range(300):
            await writer.commit(Txn((), (Put(subject.key("a"), b"%d" % n),)))
        batches = await watching
        assert [batch.events[0].kv.value for batch in batches] == [b"%d" % n for n in range(300)]
        assert all(len(batch.events) == 1 for batch in batches)


@asynchronous
async def test_a_revision_is_never_split(subject: Subject) -> None:
    """6 MiB in each of the revisions that a watch has to catch up with."""
    async with subject.open() as store:
        start = (await store.snapshot([Key(b"x")])).revision + 1
        keys = [subject.key(f"{n:03}") for n in range(100)]
        for n in range(5):
            value = bytes([n]) * 12_000
            await store.commit(Txn((), tuple(Put(key, value) for key in keys)))
        batches = await take(store, subject.prefix, start, 5)
        assert [[event.kv.key for event in batch.events] for batch in batches] == [keys] * 5


@asynchronous
async def test_many_watches_at_once(subject: Subject) -> None:
    async with subject.open() as store:
        start = (await store.snapshot([Key(b"x")])).revision + 1
        watching = [
            asyncio.create_task(take(store, subject.key(f"{n}/"), start, 3)) for n in range(20)
        ]
        for round_ in range(3):
            for n in range(20):
                await store.commit(Txn((), (Put(subject.key(f"{n}/a"), b"%d" % round_),)))
        for batches in await asyncio.gather(*watching):
            assert [batch.events[0].kv.value for batch in batches] == [b"0", b"1", b"2"]


@asynchronous
async def test_the_keys_of_a_revoked_lease_are_one_batch(subject: Subject) -> None:
    async with subject.open() as store:
        lease = await store.lease_grant(60)
        keys = [subject.key(name) for name in "abc"]
        done = await store.commit(Txn((), tuple(Put(key, b"", lease.lease_id) for key in keys)))
        await store.lease_revoke(lease.lease_id)
        (batch,) = await take(store, subject.prefix, done.revision + 1, 1)
        assert [(e.kv.key, e.deleted) for e in batch.events] == [(key, True) for key in keys]


@pytest.mark.needs(Capability.COMPACT)
@asynchronous
async def test_a_compacted_start_is_named(subject: Subject) -> None:
    async with subject.open() as store:
        key = subject.key("a")
        first = await store.commit(Txn((), (Put(key, b"1"),)))
        second = await store.commit(Txn((), (Put(key, b"2"),)))
        third = await store.commit(Txn((), (Put(key, b"3"),)))
        await store.compact(second.revision)
        with pytest.raises(Compacted) as caught:
            await take(store, subject.prefix, first.revision, 1)
        assert caught.value.facts["compact_revision"] == second.revision
        (batch,) = await take(store, subject.prefix, third.revision, 1)
        assert batch.revision == third.revision


@asynchronous
async def test_a_watch_needs_a_revision(subject: Subject) -> None:
    async with subject.open() as store:
        with pytest.raises(ValueError, match="a watch starts"):
            store.watch(subject.prefix, start_revision=0)


@asynchronous
async def test_an_abandoned_watch_leaves_the_store_usable(subject: Subject) -> None:
    async with subject.open() as store:
        done = await store.commit(Txn((), (Put(subject.key("a"), b""),)))
        for _ in range(5):
            await take(store, subject.prefix, done.revision, 1)
        waiting = asyncio.create_task(take(store, subject.prefix, done.revision + 1, 1))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await store.snapshot([Key(subject.key("a"))])).answers[0]


@asynchronous
async def test_watches_end_when_the_store_is_closed(subject: Subject) -> None:
    async with subject.open() as store:
        done = await store.commit(Txn((), (Put(subject.key("a"), b""),)))
        async with (
            aclosing(store.watch(subject.prefix, start_revision=done.revision)) as batches,
            asyncio.timeout(10),
        ):
            assert (await anext(batches)).revision == done.revision
            waiting = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0)
            await store.close()
            with pytest.raises(StopAsyncIteration):
                await waiting
