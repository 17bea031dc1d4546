"""TLS with client certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bps.core.errors import AccessDenied, ConfigError, Unavailable
from bps.core.ports import Key
from bps.core.txn import Committed, Put, Txn
from bps.store.etcd import EtcdStore, EtcdTls
from tests.asynchronous import asynchronous
from tests.conformance.etcd_process import etcd_process
from tests.integration.store.certificates import Authority, Pair


@dataclass(frozen=True, slots=True)
class Secured:
    """A server that asks for certificates of `authority`."""

    endpoint: str
    authority: Authority
    stranger: Authority
    ours: Pair


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    directory = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority(directory, "authority"), Authority(directory, "stranger")
    server = authority.sign("server")
    flags = [
        f"--cert-file={server.cert}",
        f"--key-file={server.key}",
        f"--trusted-ca-file={authority.cert}",
        "--client-cert-auth",
    ]
    with etcd_process(directory, flags, scheme="https") as endpoint:
        yield Secured(endpoint, authority, stranger, authority.sign("ours"))


@asynchronous
async def test_a_client_certificate_opens_the_store(secured: Secured) -> None:
    tls = EtcdTls(ca=secured.authority.cert, cert=secured.ours.cert, key=secured.ours.key)
    async with EtcdStore([secured.endpoint], tls=tls) as store:
        done = await store.commit(Txn((), (Put(b"/tls", b"1"),)))
        assert isinstance(done, Committed)
        async for batch in store.watch(b"/tls", start_revision=done.revision):
            assert batch.revision == done.revision
            break
        assert len(await store.status()) == 1


@asynchronous
async def test_a_server_of_another_authority_is_refused(secured: Secured) -> None:
    tls = EtcdTls(ca=secured.stranger.cert, cert=secured.ours.cert, key=secured.ours.key)
    async with EtcdStore([secured.endpoint], tls=tls, deadline_s=0.5, read_bound_s=0.5) as store:
        with pytest.raises(AccessDenied, match="TLS"):
            await store.snapshot([Key(b"x")])
        with pytest.raises(AccessDenied, match="TLS"):
            await store.commit(Txn((), (Put(b"/tls", b"no"),)))


@pytest.mark.parametrize("certificate", ["none", "stranger's"])
def test_a_wrong_client_certificate_is_refused(secured: Secured, certificate: str) -> None:
    @asynchronous
    async def refused() -> None:
        pair = secured.stranger.sign("foreign")
        tls = (
            EtcdTls(ca=secured.authority.cert)
            if certificate == "none"
            else EtcdTls(ca=secured.authority.cert, cert=pair.cert, key=pair.key)
        )
        async with EtcdStore(
            [secured.endpoint], tls=tls, deadline_s=0.5, read_bound_s=0.5
        ) as store:
            with pytest.raises(AccessDenied, match="TLS") as caught:
                await store.commit(Txn((), (Put(b"/tls", b"no"),)))
            assert secured.endpoint in caught.value.message

    refused()


@asynchronous
async def test_plain_text_to_a_tls_server_is_unavailable(secured: Secured) -> None:
    async with EtcdStore([secured.endpoint], deadline_s=0.5, read_bound_s=0.5) as store:
        with pytest.raises(Unavailable):
            await store.snapshot([Key(b"x")])


def test_unusable_files_are_named_at_once(tmp_path: Path, secured: Secured) -> None:
    no_pem = tmp_path / "no.pem"
    no_pem.write_text("hello")
    for tls, named in (
        (EtcdTls(ca=tmp_path / "missing.pem"), "missing.pem cannot be read"),
        (EtcdTls(ca=no_pem), "no.pem is not a PEM file"),
        (EtcdTls(ca=secured.authority.cert, cert=secured.ours.cert), "given together"),
    ):
        with pytest.raises(ConfigError, match=named):
            EtcdStore([secured.endpoint], tls=tls)
