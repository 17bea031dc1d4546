"""The gateway with TLS, client certificates, a user and a password."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bps.core.errors import AccessDenied, NoSpace, OutcomeUnknown, Unavailable
from bps.core.ports import Key, Prefix
from bps.core.txn import Committed, Put, Txn, absent
from bps.store.etcd_program import find_etcd
from bps.store.gateway import GatewayStore
from bps.store.security import EtcdCredentials, EtcdTls
from tests.asynchronous import asynchronous
from tests.cluster.processes import newest_etcd
from tests.conformance.etcd_process import etcd_process
from tests.integration.store.certificates import Authority
from tests.integration.store.full_store import fill
from tests.integration.store.gateway import Gateway

USER = EtcdCredentials("bps", "secret")


@pytest.fixture(params=[find_etcd, newest_etcd], ids=["embedded", "newest"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    flags = ["--bcrypt-cost=4", f"--quota-backend-bytes={4 * 1024 * 1024}"]
    with etcd_process(tmp_path, flags, program=request.param()) as endpoint:
        yield endpoint


@asynchronous
async def test_void_tokens_are_renewed_without_a_double_write(endpoint: str) -> None:
    gateway = Gateway(endpoint)
    gateway.enable_auth(USER.user, USER.password, b"/bps/")
    async with GatewayStore([endpoint], credentials=USER) as store:
        first = await store.commit(Txn((absent(b"/bps/a"),), (Put(b"/bps/a", b"1"),)))
        assert isinstance(first, Committed)
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        second = await store.commit(Txn((absent(b"/bps/b"),), (Put(b"/bps/b", b"1"),)))
        assert second == Committed(first.revision + 1)
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        many = await asyncio.gather(*(store.snapshot([Prefix(b"/bps/")]) for _ in range(32)))
        assert {snapshot.revision for snapshot in many} == {second.revision}
        lease = await store.lease_grant(60)
        await asyncio.to_thread(gateway.forget_tokens, USER.user, USER.password)
        assert await store.lease_keepalive(lease.lease_id) == 60
        await store.lease_revoke(lease.lease_id)


@asynchronous
async def test_who_may_not_is_told_so(endpoint: str) -> None:
    async with GatewayStore([endpoint], credentials=USER) as early:
        assert isinstance(await early.commit(Txn((), (Put(b"/bps/a", b""),))), Committed)
        Gateway(endpoint).enable_auth(USER.user, USER.password, b"/bps/")
        assert isinstance(await early.commit(Txn((), (Put(b"/bps/a", b""),))), Committed)
        with pytest.raises(AccessDenied):
            await early.commit(Txn((), (Put(b"/other/a", b""),)))
        with pytest.raises(AccessDenied):
            await early.snapshot([Key(b"/other/a")])
    for credentials in (None, EtcdCredentials("bps", "guess")):
        async with GatewayStore([endpoint], credentials=credentials) as store:
            with pytest.raises(AccessDenied) as caught:
                await store.commit(Txn((), (Put(b"/bps/a", b""),)))
            assert "guess" not in repr(caught.value.facts) + caught.value.message
            with pytest.raises(AccessDenied):
                await store.snapshot([Key(b"/bps/a")])


@asynchronous
async def test_a_full_store(endpoint: str) -> None:
    """NOSPACE is named, and what a full store still answers is still read."""
    async with GatewayStore([endpoint]) as store:
        lease = await store.lease_grant(60)
        stored = await fill(store)
        (status,) = await store.status()
        assert status.alarms == ("NOSPACE",)
        with pytest.raises(NoSpace):
            await store.lease_grant(60)
        assert await store.lease_keepalive(lease.lease_id) == 60
        snapshot = await store.snapshot([Prefix(b"/full/"), Key(b"/full/00"), Key(b"none")])
        # The write that passes the quota is applied, and refused all the same.
        assert len(snapshot.answers[0]) in {stored, stored + 1}
        assert [len(answer) for answer in snapshot.answers[1:]] == [1, 0]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for certificates of `authority`."""
    server = authority.sign("server")
    flags = [
        f"--cert-file={server.cert}",
        f"--key-file={server.key}",
        f"--trusted-ca-file={authority.cert}",
        "--client-cert-auth",
    ]
    with etcd_process(tmp_path_factory.mktemp("tls"), flags, scheme="https") as endpoint:
        yield endpoint


@asynchronous
async def test_a_client_certificate_opens_the_store(secured: str, authority: Authority) -> None:
    ours = authority.sign("ours")
    tls = EtcdTls(ca=authority.cert, cert=ours.cert, key=ours.key)
    async with GatewayStore([secured], tls=tls) as store:
        assert isinstance(await store.commit(Txn((), (Put(b"/tls", b"1"),))), Committed)
        assert len(await store.status()) == 1


@pytest.mark.parametrize("trust", ["stranger's", "the system's"])
def test_a_server_of_another_authority_is_refused(
    secured: str, authority: Authority, tmp_path: Path, trust: str
) -> None:
    @asynchronous
    async def refused() -> None:
        ours = authority.sign("ours")
        ca = Authority(tmp_path, "stranger").cert if trust == "stranger's" else None
        tls = EtcdTls(ca=ca, cert=ours.cert, key=ours.key)
        async with GatewayStore([secured], tls=tls, read_bound_s=0.5) as store:
            with pytest.raises(AccessDenied, match="TLS"):
                await store.snapshot([Key(b"x")])
            with pytest.raises(AccessDenied, match="TLS"):
                await store.commit(Txn((), (Put(b"/tls", b"no"),)))

    refused()


@asynchronous
async def test_a_client_without_a_certificate_writes_nothing(
    secured: str, authority: Authority
) -> None:
    """The server judges after the handshake (TLS 1.3): it refuses, or resets what was sent."""
    async with GatewayStore([secured], tls=EtcdTls(ca=authority.cert), read_bound_s=0.5) as store:
        with pytest.raises((AccessDenied, Unavailable)):
            await store.snapshot([Key(b"x")])
        with pytest.raises((AccessDenied, OutcomeUnknown)):
            await store.commit(Txn((), (Put(b"/tls/never", b"no"),)))
    ours = authority.sign("ours")
    tls = EtcdTls(ca=authority.cert, cert=ours.cert, key=ours.key)
    async with GatewayStore([secured], tls=tls) as store:
        assert (await store.snapshot([Key(b"/tls/never")])).answers == ((),)


@asynchronous
async def test_plain_text_to_a_tls_server_is_unavailable(secured: str) -> None:
    async with GatewayStore([secured], read_bound_s=0.5) as store:
        with pytest.raises(Unavailable):
            await store.snapshot([Key(b"x")])
