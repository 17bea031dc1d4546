"""A user and password, asked for by etcd, renewed when the token is void."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from bps.core.errors import AccessDenied
from bps.core.ports import Key, Prefix
from bps.core.txn import Committed, Put, Txn, absent
from bps.store.etcd import EtcdCredentials, EtcdStore
from tests.asynchronous import asynchronous
from tests.cluster.processes import newest_etcd
from tests.conformance.etcd_process import etcd_process
from tests.integration.store.gateway import Gateway

USER = EtcdCredentials("bps", "secret")
_PROGRAMS = {"embedded": lambda: None, "newest": newest_etcd}


@pytest.fixture(params=sorted(_PROGRAMS))
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    program: Path | None = _PROGRAMS[request.param]()
    with etcd_process(tmp_path, ["--bcrypt-cost=4"], program=program) as endpoint:
        yield endpoint


@asynchronous
async def test_void_tokens_are_renewed_without_a_double_write(endpoint: str) -> None:
    gateway = Gateway(endpoint)
    gateway.enable_auth(USER.user, USER.password, b"/bps/")
    async with EtcdStore([endpoint], credentials=USER) as store:
        first = await store.commit(Txn((absent(b"/bps/a"),), (Put(b"/bps/a", b"1"),)))
        assert isinstance(first, Committed)
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        second = await store.commit(Txn((absent(b"/bps/b"),), (Put(b"/bps/b", b"1"),)))
        assert second == Committed(first.revision + 1)
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        many = await asyncio.gather(*(store.snapshot([Prefix(b"/bps/")]) for _ in range(32)))
        assert {snapshot.revision for snapshot in many} == {second.revision}
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        watching = store.watch(b"/bps/", start_revision=first.revision)
        async with aclosing(watching), asyncio.timeout(10):
            assert (await anext(watching)).revision == first.revision
            assert (await anext(watching)).revision == second.revision
        lease = await store.lease_grant(60)
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        assert await store.lease_keepalive(lease.lease_id) == 60
        await store.lease_revoke(lease.lease_id)


@asynchronous
async def test_the_status_is_for_root_where_etcd_guards_it(endpoint: str) -> None:
    """3.5.30 does, 3.5.1 does not; a refusal is no silent member."""
    gateway = Gateway(endpoint)
    gateway.enable_auth(USER.user, USER.password, b"/bps/")
    async with EtcdStore([endpoint], credentials=EtcdCredentials("root", "root")) as store:
        (status,) = await store.status()
    async with EtcdStore([endpoint], credentials=USER) as store:
        if status.version == "3.5.1":
            assert len(await store.status()) == 1
        else:
            with pytest.raises(AccessDenied):
                await store.status()


@asynchronous
async def test_who_may_not_is_told_so(endpoint: str) -> None:
    async with EtcdStore([endpoint], credentials=USER) as early:
        # Credentials are kept back until etcd asks for them.
        assert isinstance(await early.commit(Txn((), (Put(b"/bps/a", b""),))), Committed)
        Gateway(endpoint).enable_auth(USER.user, USER.password, b"/bps/")
        assert isinstance(await early.commit(Txn((), (Put(b"/bps/a", b""),))), Committed)
        with pytest.raises(AccessDenied):
            await early.commit(Txn((), (Put(b"/other/a", b""),)))
        with pytest.raises(AccessDenied):
            await early.snapshot([Key(b"/other/a")])
        with pytest.raises(AccessDenied):
            await asyncio.wait_for(anext(early.watch(b"/other/", start_revision=1)), 10)
    wrong = EtcdCredentials("bps", "guess")
    assert "guess" not in repr(wrong)
    for credentials in (None, wrong):
        async with EtcdStore([endpoint], credentials=credentials) as store:
            with pytest.raises(AccessDenied) as caught:
                await store.commit(Txn((), (Put(b"/bps/a", b""),)))
            assert "guess" not in repr(caught.value.facts) + caught.value.message
            with pytest.raises(AccessDenied):
                await store.snapshot([Key(b"/bps/a")])
            with pytest.raises(AccessDenied):
                await asyncio.wait_for(anext(store.watch(b"/bps/", start_revision=1)), 10)
