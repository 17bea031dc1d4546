"""Compares, atomicity, conflicts and limits."""

from __future__ import annotations

import asyncio

import pytest

from bps.core.errors import LeaseNotFound, StoreRefused, TooLarge
from bps.core.ports import Key, Prefix
from bps.core.txn import (
    Committed,
    Compare,
    Condition,
    Conflict,
    Delete,
    Exists,
    Fence,
    Put,
    Target,
    Txn,
    absent,
    unchanged,
)
from tests.asynchronous import asynchronous
from tests.conformance.subjects import Subject


@asynchronous
async def test_every_kind_of_compare(subject: Subject) -> None:
    async with subject.open() as store:
        key, none = subject.key("a"), subject.key("none")
        made = await store.commit(Txn((absent(key),), (Put(key, b"1"),)))
        changed = await store.commit(Txn((unchanged(key, made.revision),), (Put(key, b"2"),)))
        assert isinstance(made, Committed)
        assert isinstance(changed, Committed)
        holds: dict[Condition, bool] = {
            absent(key): False,
            absent(none): True,
            unchanged(key, changed.revision): True,
            unchanged(key, made.revision): False,
            unchanged(key, 0): False,
            unchanged(none, 0): True,
            unchanged(none, made.revision): False,
            Fence(key, made.revision).compare: True,
            Fence(key, changed.revision).compare: False,
            Compare(none, Target.CREATE_REVISION, made.revision): False,
            Exists(key): True,
            Exists(none): False,
        }
        for condition, expected in holds.items():
            answer = await store.commit(Txn((condition,), ()))
            assert isinstance(answer, Committed) == expected, condition
            assert answer.revision == changed.revision


@asynchronous
async def test_a_conflict_tells_what_every_compared_key_holds(subject: Subject) -> None:
    async with subject.open() as store:
        a, b, none = subject.key("a"), subject.key("b"), subject.key("none")
        done = await store.commit(Txn((), (Put(a, b"1"), Put(b, b"2"))))
        conflict = await store.commit(
            Txn((Exists(a), absent(a), absent(none), unchanged(b, 1)), (Put(a, b"no"),))
        )
        assert isinstance(conflict, Conflict)
        assert conflict.revision == done.revision
        assert set(conflict.present) == {a, b, none}
        assert conflict.present[none] is None
        found = conflict.present[a], conflict.present[b]
        assert [kv and (kv.value, kv.mod_revision) for kv in found] == [
            (b"1", done.revision),
            (b"2", done.revision),
        ]


@asynchronous
async def test_a_transaction_is_applied_whole_or_not_at_all(subject: Subject) -> None:
    async with subject.open() as store:
        old, new = subject.key("old"), subject.key("new")
        before = await store.commit(Txn((), (Put(old, b"1"),)))
        refused = await store.commit(Txn((absent(new), absent(old)), (Put(new, b"1"), Delete(old))))
        assert isinstance(refused, Conflict)
        assert (await store.snapshot([Key(old)])).revision == before.revision
        done = await store.commit(Txn((absent(new), Exists(old)), (Put(new, b"1"), Delete(old))))
        assert done == Committed(before.revision + 1)
        (answer,) = (await store.snapshot([Prefix(subject.prefix)])).answers
        assert [(kv.key, kv.mod_revision) for kv in answer] == [(new, done.revision)]


@asynchronous
async def test_a_deleted_key_starts_anew(subject: Subject) -> None:
    async with subject.open() as store:
        key = subject.key("a")
        await store.commit(Txn((), (Put(key, b"1"),)))
        await store.commit(Txn((), (Delete(key),)))
        done = await store.commit(Txn((absent(key),), (Put(key, b"2"),)))
        ((found,),) = (await store.snapshot([Key(key)])).answers
        assert found.create_revision == found.mod_revision == done.revision


@asynchronous
async def test_deleting_nothing_makes_no_revision(subject: Subject) -> None:
    async with subject.open() as store:
        before = await store.commit(Txn((), (Put(subject.key("a"), b""),)))
        assert await store.commit(Txn((), (Delete(subject.key("none")),))) == before
        both = await store.commit(
            Txn((), (Delete(subject.key("none")), Put(subject.key("b"), b"")))
        )
        assert both == Committed(before.revision + 1)


@asynchronous
async def test_one_of_many_racing_writers_wins(subject: Subject) -> None:
    async with subject.open() as store:
        key = subject.key("a")
        answers = await asyncio.gather(
            *(store.commit(Txn((absent(key),), (Put(key, b"%d" % n),))) for n in range(16))
        )
        (winner,) = [n for n, answer in enumerate(answers) if isinstance(answer, Committed)]
        for answer in answers:
            if isinstance(answer, Conflict):
                found = answer.present[key]
                assert found is not None
                assert found.value == b"%d" % winner


@asynchronous
async def test_the_limits_hold(subject: Subject) -> None:
    async with subject.open() as store:
        keys = [subject.key(f"{n:03}") for n in range(128)]
        most = Txn(tuple(absent(key) for key in keys), tuple(Put(key, b"") for key in keys))
        assert isinstance(await store.commit(most), Committed)
        conflict = await store.commit(most)
        assert isinstance(conflict, Conflict)
        assert len(conflict.present) == 128
        largest = Txn((), (Put(subject.key("big"), b"x" * (1_572_864 - 512)),))
        assert isinstance(await store.commit(largest), Committed)
        with pytest.raises(TooLarge):
            Txn((), tuple(Put(b"%d" % n, b"") for n in range(129)))
        with pytest.raises(TooLarge):
            Txn(tuple(absent(b"%d" % n) for n in range(129)), ())
        with pytest.raises(TooLarge):
            Txn((), (Put(b"a", b"x" * 1_572_864),))
        with pytest.raises(ValueError, match="twice"):
            Txn((), (Put(b"a", b""), Delete(b"a")))


@asynchronous
async def test_empty_keys_are_refused(subject: Subject) -> None:
    async with subject.open() as store:
        for txn in (Txn((), (Put(b"", b""),)), Txn((), (Delete(b""),)), Txn((absent(b""),), ())):
            with pytest.raises(StoreRefused):
                await store.commit(txn)


@asynchronous
async def test_an_unknown_lease_refuses_the_whole_transaction(subject: Subject) -> None:
    async with subject.open() as store:
        a, b = subject.key("a"), subject.key("b")
        before = await store.commit(Txn((), (Put(subject.key("c"), b""),)))
        with pytest.raises(LeaseNotFound):
            await store.commit(Txn((), (Put(a, b"1"), Put(b, b"1", lease_id=987_654_321))))
        snapshot = await store.snapshot([Key(a), Key(b)])
        assert snapshot.answers == ((), ())
        assert snapshot.revision == before.revision
