"""Leases: granted, kept alive, revoked, expired."""

from __future__ import annotations

import pytest

from bps.core.errors import LeaseNotFound
from bps.core.ports import Key, Prefix
from bps.core.txn import Delete, Put, Txn
from tests.asynchronous import asynchronous, eventually
from tests.conformance.subjects import Subject


@asynchronous
async def test_a_lease_can_be_kept_alive_and_revoked(subject: Subject) -> None:
    async with subject.open() as store:
        lease = await store.lease_grant(30)
        other = await store.lease_grant(30)
        assert lease.lease_id != other.lease_id
        assert lease.ttl_s >= 30
        assert await store.lease_keepalive(lease.lease_id) == lease.ttl_s
        await store.lease_revoke(lease.lease_id)
        await store.lease_revoke(lease.lease_id)
        with pytest.raises(LeaseNotFound):
            await store.lease_keepalive(lease.lease_id)
        assert await store.lease_keepalive(other.lease_id) == other.ttl_s
        await store.lease_revoke(other.lease_id)


@asynchronous
async def test_revoking_deletes_exactly_the_attached_keys_at_one_revision(
    subject: Subject,
) -> None:
    async with subject.open() as store:
        lease, other = await store.lease_grant(60), await store.lease_grant(60)
        names = "abcdef"
        _, _, c, d, e, f = keys = [subject.key(name) for name in names]
        mine = [Put(key, b"", lease.lease_id) for key in keys]
        await store.commit(Txn((), tuple(mine)))
        # Detached by a put without a lease; moved; deleted; deleted and made anew.
        await store.commit(
            Txn((), (Put(c, b""), Put(d, b"", other.lease_id), Delete(e), Delete(f)))
        )
        last = await store.commit(Txn((), (Put(f, b"", lease.lease_id),)))
        await store.lease_revoke(lease.lease_id)
        snapshot = await store.snapshot([Prefix(subject.prefix)])
        assert snapshot.revision == last.revision + 1
        assert [(kv.key, kv.lease_id) for kv in snapshot.answers[0]] == [
            (c, 0),
            (d, other.lease_id),
        ]
        await store.lease_revoke(other.lease_id)


@asynchronous
async def test_a_lease_without_keys_leaves_no_trace(subject: Subject) -> None:
    async with subject.open() as store:
        before = (await store.snapshot([Key(b"x")])).revision
        lease = await store.lease_grant(60)
        await store.lease_revoke(lease.lease_id)
        assert (await store.snapshot([Key(b"x")])).revision == before


@asynchronous
async def test_expiry_deletes_the_keys_and_keepalive_prevents_it(subject: Subject) -> None:
    async with subject.open() as store:
        dying, living = await store.lease_grant(1), await store.lease_grant(1)
        gone, kept = subject.key("gone"), subject.key("kept")
        await store.commit(
            Txn((), (Put(gone, b"", dying.lease_id), Put(kept, b"", living.lease_id)))
        )

        async def is_gone() -> bool:
            subject.pass_time()
            await store.lease_keepalive(living.lease_id)
            return not (await store.snapshot([Key(gone)])).answers[0]

        await eventually(is_gone, "the key of the dying lease is deleted")
        ((found,),) = (await store.snapshot([Key(kept)])).answers
        assert found.lease_id == living.lease_id
        with pytest.raises(LeaseNotFound):
            await store.lease_keepalive(dying.lease_id)
        await store.lease_revoke(living.lease_id)


@asynchronous
async def test_lease_times_are_bounded(subject: Subject) -> None:
    async with subject.open() as store:
        for ttl_s in (0, -1, 9_000_000_001):
            with pytest.raises(ValueError, match="a lease lives"):
                await store.lease_grant(ttl_s)
