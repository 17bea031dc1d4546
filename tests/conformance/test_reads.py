"""Snapshots, pages and counts."""

from __future__ import annotations

import asyncio

import pytest

from bps.core.errors import Compacted, StoreRefused, TooLarge, Unavailable
from bps.core.ports import Capability, Key, Prefix, Store
from bps.core.txn import Committed, Delete, Put, Txn, unchanged
from tests.asynchronous import asynchronous
from tests.conformance.subjects import Subject


async def put(store: Store, *pairs: tuple[bytes, bytes]) -> int:
    done = await store.commit(Txn((), tuple(Put(key, value) for key, value in pairs)))
    assert isinstance(done, Committed)
    return done.revision


@asynchronous
async def test_a_snapshot_answers_in_the_order_of_its_reads(subject: Subject) -> None:
    async with subject.open() as store:
        a, b, c = subject.key("a"), subject.key("b"), subject.key("c")
        first = await put(store, (a, b"1"), (b, b"2"))
        second = await put(store, (c, b"3"))
        snapshot = await store.snapshot(
            [Key(c), Prefix(subject.prefix), Key(subject.key("none")), Key(a)]
        )
        assert snapshot.revision == second
        answers = [[kv.key for kv in answer] for answer in snapshot.answers]
        assert answers == [[c], [a, b, c], [], [a]]
        found = snapshot.answers[3][0]
        assert (found.value, found.create_revision, found.mod_revision) == (b"1", first, first)
        assert found.lease_id == 0


@asynchronous
async def test_prefixes_are_limited_and_reversed(subject: Subject) -> None:
    async with subject.open() as store:
        keys = [subject.key(f"{n:02}") for n in range(10)]
        await put(store, *((key, b"") for key in keys), (subject.prefix[:-1] + b"0", b"beside"))
        snapshot = await store.snapshot(
            [
                Prefix(subject.prefix),
                Prefix(subject.prefix, limit=3),
                Prefix(subject.prefix, descending=True),
                Prefix(subject.prefix, limit=1, descending=True),
            ]
        )
        found = [[kv.key for kv in answer] for answer in snapshot.answers]
        assert found == [keys, keys[:3], keys[::-1], keys[-1:]]


@asynchronous
async def test_a_snapshot_is_of_one_revision(subject: Subject) -> None:
    """Two keys are always written together; a reader never sees them apart."""
    async with subject.open() as store, subject.open() as reader:
        a, b = subject.key("a"), subject.key("b")
        await put(store, (a, b"0"), (b, b"0"))

        async def write() -> None:
            for n in range(50):
                await put(store, (a, b"%d" % n), (b, b"%d" % n))

        writing = asyncio.create_task(write())
        seen = set()
        while not writing.done():
            one, other = (await reader.snapshot([Key(a), Key(b)])).answers
            assert one[0].value == other[0].value
            assert one[0].mod_revision == other[0].mod_revision
            seen.add(one[0].value)
        await writing
        assert len(seen) > 1


@asynchronous
async def test_binary_keys_and_values(subject: Subject) -> None:
    async with subject.open() as store:
        keys = [subject.key(name) for name in (b"\0", b"\0\xff", b"\x7f", b"\xff", b"\xff\xff\0")]
        await put(store, *((key, key[::-1]) for key in keys))
        snapshot = await store.snapshot(
            [Prefix(subject.prefix), Prefix(subject.key(b"\xff")), Prefix(subject.key(b"\xff\xff"))]
        )
        everything, high, highest = snapshot.answers
        assert [(kv.key, kv.value) for kv in everything] == [(key, key[::-1]) for key in keys]
        assert [kv.key for kv in high] == keys[3:]
        assert [kv.key for kv in highest] == keys[4:]


@asynchronous
async def test_values_of_one_mebibyte(subject: Subject) -> None:
    async with subject.open() as store:
        value = bytes(range(256)) * 4096
        await put(store, (subject.key("big"), value))
        await put(store, (subject.key("big2"), value))
        (answer,) = (await store.snapshot([Prefix(subject.prefix)])).answers
        assert [kv.value for kv in answer] == [value, value]


@asynchronous
async def test_answers_above_the_usual_limit_of_4_mib(subject: Subject) -> None:
    async with subject.open() as store:
        value = b"x" * 1024 * 1024
        for n in range(6):
            await put(store, (subject.key(f"{n}"), value))
        (answer,) = (await store.snapshot([Prefix(subject.prefix)])).answers
        assert sum(len(kv.value) for kv in answer) == 6 * 1024 * 1024


@asynchronous
async def test_snapshots_have_1_to_128_reads(subject: Subject) -> None:
    async with subject.open() as store:
        reads = [Key(subject.key(f"{n}")) for n in range(128)]
        assert len((await store.snapshot(reads)).answers) == 128
        with pytest.raises(TooLarge):
            await store.snapshot([*reads, Key(b"one more")])
        with pytest.raises(ValueError, match="at least one read"):
            await store.snapshot([])
        with pytest.raises(StoreRefused):
            await store.snapshot([Key(b"")])


@asynchronous
async def test_pages_at_a_pinned_revision_do_not_move(subject: Subject) -> None:
    async with subject.open() as store:
        keys = [subject.key(f"{n}") for n in range(5)]
        pinned = await put(store, *((key, b"old") for key in keys))
        await put(store, (keys[3], b"new"), (subject.key("35"), b"new"))
        await store.commit(Txn((), (Delete(keys[4]),)))
        start, end = subject.prefix, subject.prefix[:-1] + b"0"
        found = []
        while True:
            page = await store.page(start, end, limit=2, revision=pinned)
            assert page.revision == pinned
            found += [(kv.key, kv.value) for kv in page.kvs]
            if not page.more:
                break
            start = page.kvs[-1].key + b"\0"
        assert found == [(key, b"old") for key in keys]
        assert await store.count(subject.prefix, revision=pinned) == 5
        assert await store.count(subject.prefix) == 5
        assert await store.count(subject.key("3")) == 2


@asynchronous
async def test_pages_of_keys_only(subject: Subject) -> None:
    async with subject.open() as store:
        revision = await put(store, (subject.key("a"), b"value"))
        page = await store.page(subject.prefix, subject.key("b"), limit=9, keys_only=True)
        (found,) = page.kvs
        assert (found.key, found.value) == (subject.key("a"), b"")
        assert found.mod_revision == found.create_revision == revision == page.revision
        assert not page.more


@asynchronous
async def test_a_single_key_without_its_value(subject: Subject) -> None:
    async with subject.open() as store:
        revision = await put(store, (subject.key("a"), b"value"))
        absent = Key(subject.key("b"), keys_only=True)
        whole, bare, none = (
            await store.snapshot(
                [Key(subject.key("a")), Key(subject.key("a"), keys_only=True), absent]
            )
        ).answers
        assert whole[0].value == b"value"
        assert (bare[0].value, bare[0].mod_revision) == (b"", revision)
        assert none == ()


@asynchronous
async def test_a_page_may_be_open_at_the_end_and_exact_at_its_limit(subject: Subject) -> None:
    async with subject.open() as store:
        await put(store, (subject.key("a"), b""), (subject.key("b"), b""))
        page = await store.page(subject.key("a"), subject.key("c"), limit=2)
        assert len(page.kvs) == 2
        assert not page.more
        page = await store.page(subject.key("b"), b"\0", limit=1)
        assert [kv.key for kv in page.kvs] == [subject.key("b")]
        for end, limit in ((subject.key("c"), 0), (b"", 1)):
            with pytest.raises(ValueError, match="a page needs"):
                await store.page(subject.key("a"), end, limit=limit)


@pytest.mark.needs(Capability.COMPACT)
@asynchronous
async def test_a_revision_of_the_future_is_refused(subject: Subject) -> None:
    async with subject.open() as store:
        revision = await put(store, (subject.key("a"), b""))
        with pytest.raises(StoreRefused):
            await store.page(b"a", b"b", limit=1, revision=revision + 1000)
        with pytest.raises(StoreRefused):
            await store.compact(revision + 1000)


@pytest.mark.needs(Capability.COMPACT)
@asynchronous
async def test_compaction_drops_history_and_keeps_the_present(subject: Subject) -> None:
    async with subject.open() as store:
        key, gone = subject.key("a"), subject.key("gone")
        first = await put(store, (key, b"1"), (gone, b"1"))
        await store.commit(Txn((), (Delete(gone),)))
        kept = await put(store, (key, b"2"))
        last = await put(store, (key, b"3"))
        await store.compact(kept)
        page = await store.page(subject.prefix, b"\0", limit=9, revision=kept)
        assert [kv.value for kv in page.kvs if kv.key.startswith(subject.prefix)] == [b"2"]
        with pytest.raises(Compacted):
            await store.page(subject.prefix, b"\0", limit=9, revision=first)
        with pytest.raises(Compacted):
            await store.count(subject.prefix, revision=first)
        with pytest.raises(Compacted):
            await store.compact(kept)
        (answer,) = (await store.snapshot([Prefix(subject.prefix)])).answers
        assert [(kv.value, kv.create_revision, kv.mod_revision) for kv in answer] == [
            (b"3", first, last)
        ]
        done = await store.commit(Txn((unchanged(key, last),), (Put(key, b"4"),)))
        assert isinstance(done, Committed)


@asynchronous
async def test_serializable_reads_see_what_their_member_has_applied(subject: Subject) -> None:
    async with subject.open() as store:
        key = subject.key("a")
        revision = await put(store, (key, b"1"))
        snapshot = await store.snapshot([Key(key)], serializable=True, at_least=revision)
        assert snapshot.revision >= revision
        assert snapshot.answers == (await store.snapshot([Key(key)])).answers
        page = await store.page(key, b"\0", limit=1, serializable=True, at_least=revision)
        assert page.kvs == snapshot.answers[0]
        with pytest.raises(Unavailable) as behind:
            await store.snapshot([Key(key)], serializable=True, at_least=revision + 1_000)
        assert int(str(behind.value.facts["have"])) >= revision
