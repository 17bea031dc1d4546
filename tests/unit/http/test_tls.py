"""TLS and client certificates, over real sockets."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.types import Receive, Scope, Send

from bps.core.errors import ConfigError
from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen
from tests.unit.http.sockets import GET, Raw, on_uvloop
from tests.unit.http.test_protocol import Flood

SPIFFE = "spiffe://bps.test/supervisor-1"


class Authority:
    """A CA and what it signed, as PEM files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
        self.ca_file = self._write(
            "ca", self._signed(self._name, self._key, [], is_ca=True), self._key
        )[0]

    def issue(self, name: str, *names: x509.GeneralName) -> tuple[Path, Path]:
        """Certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._write(name, self._signed(subject, key, list(names), is_ca=False), key)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[x509.GeneralName],
        *,
        is_ca: bool,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> tuple[Path, Path]:
        pem = serialization.Encoding.PEM
        files = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(pem))
        files[1].write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        files[1].chmod(0o600)
        return files


class Remembering:
    """Answers 204, and keeps the scope."""

    def __init__(self) -> None:
        self.scope: Scope = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scope = scope
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def ask(server: HttpServer, context: ssl.SSLContext) -> None:
    port = int(server.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    raw = Raw(reader, writer)
    await raw.send(GET)
    assert (await raw.answer())[0] == 204
    await raw.close()


def listen_of(authority: Authority) -> Listen:
    cert, key = authority.issue("server", x509.DNSName("localhost"))
    return Listen("127.0.0.1", 0, cert, key, authority.ca_file)


@pytest.mark.parametrize("with_certificate", [True, False])
def test_the_application_sees_the_certificate_of_the_peer(
    authority: Authority, with_certificate: bool
) -> None:
    @on_uvloop
    async def body() -> None:
        app = Remembering()
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        context.check_hostname = False
        if with_certificate:
            files = authority.issue("agent", x509.UniformResourceIdentifier(SPIFFE))
            context.load_cert_chain(*files)
        async with HttpServer(app, listen_of(authority), Limits()) as server:
            assert server.url.startswith("https://")
            await ask(server, context)
        assert app.scope["scheme"] == "https"
        tls: Any = app.scope.get("extensions", {}).get("tls")
        if with_certificate:
            assert tls["peer_certificate"]["subjectAltName"] == (("URI", SPIFFE),)
        else:
            assert tls is None

    body()


def test_a_certificate_of_another_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    @on_uvloop
    async def body() -> None:
        other = tmp_path / "other"
        other.mkdir()
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        context.check_hostname = False
        context.load_cert_chain(*Authority(other).issue("forged"))
        app = Remembering()
        async with HttpServer(app, listen_of(authority), Limits()) as server:
            with pytest.raises((ssl.SSLError, OSError, asyncio.IncompleteReadError)):
                await ask(server, context)
        assert app.scope == {}

    body()


def test_clear_text_to_a_tls_port_is_no_request(authority: Authority) -> None:
    @on_uvloop
    async def body() -> None:
        app = Remembering()
        async with HttpServer(app, listen_of(authority), Limits()) as server:
            port = int(server.url.rpartition(":")[2])
            raw = Raw(*await asyncio.open_connection("127.0.0.1", port))
            await raw.send(GET)
            assert b"HTTP" not in await raw.rest()
            await raw.close()
        assert app.scope == {}

    body()


def secret(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def with_passphrase(pem: bytes) -> bytes:
    key = serialization.load_pem_private_key(pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )


def test_files_that_are_no_pem_are_named_by_their_key_in_the_configuration(
    authority: Authority, tmp_path: Path
) -> None:
    @on_uvloop
    async def body() -> None:
        junk = tmp_path / "junk"
        junk.write_text("junk")
        cert, key = authority.issue("server")
        _, other = authority.issue("other")
        private = secret(tmp_path / "private", b"junk")
        broken = secret(tmp_path / "broken", key.read_bytes().replace(b"M", b"%", 1))
        broken_cert = secret(tmp_path / "broken-cert", cert.read_bytes().replace(b"M", b"%", 1))
        locked = secret(tmp_path / "locked", with_passphrase(key.read_bytes()))
        shared = secret(tmp_path / "shared", key.read_bytes(), 0o644)
        for listen, told in (
            (Listen("127.0.0.1", 0, junk, key), "listen.tls_cert_file"),
            (Listen("127.0.0.1", 0, tmp_path / "none", key), "listen.tls_cert_file"),
            (Listen("127.0.0.1", 0, cert, tmp_path / "none"), "^listen.tls_key_file cannot"),
            (Listen("127.0.0.1", 0, cert, private), "^listen.tls_key_file cannot"),
            (Listen("127.0.0.1", 0, cert, broken), "^listen.tls_key_file cannot"),
            (Listen("127.0.0.1", 0, broken_cert, key), "^listen.tls_cert_file cannot"),
            (Listen("127.0.0.1", 0, cert, locked), "^listen.tls_key_file .* passphrase"),
            (Listen("127.0.0.1", 0, cert, shared), "^listen.tls_key_file .* mode 0644"),
            (Listen("127.0.0.1", 0, cert, other), "tls_key_file is not the key of"),
            (Listen("127.0.0.1", 0, cert, key, junk), "listen.client_ca_file"),
        ):
            with pytest.raises(ConfigError, match=told) as refused:
                async with HttpServer(Remembering(), listen, Limits()):
                    pass
            assert str(tmp_path) not in refused.value.message
            assert refused.value.next_action

    body()


def test_a_client_that_never_reads_is_cut_off_with_tls_too(authority: Authority) -> None:
    @on_uvloop
    async def body() -> None:
        flood = Flood()
        limits = Limits(write_stall_s=0.5)
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        context.check_hostname = False
        async with HttpServer(flood, listen_of(authority), limits) as server:
            port = int(server.url.rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(GET)
            async with asyncio.timeout(8):
                await flood.ended.wait()
            assert flood.sent < 32 * 2**20
            writer.transport.abort()

    body()


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    @on_uvloop
    async def body() -> None:
        async with HttpServer(Remembering(), Listen("127.0.0.1", 0), Limits()) as server:
            taken = Listen("127.0.0.1", int(server.url.rpartition(":")[2]))
            with pytest.raises(ConfigError) as refused:
                async with HttpServer(Remembering(), taken, Limits()):
                    pass
        assert "--port" in (refused.value.next_action or "")
        assert "other process" in (refused.value.next_action or "")

    body()
