"""The client over TLS, on real sockets: the service is verified, and our certificate is shown."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from cryptography import x509
from starlette.types import Receive, Scope, Send

from bps.client import BpsClient, Target
from bps.core.error_catalogue import next_action_of
from bps.core.errors import BpsError, ConfigError, OutcomeUnknown, Unavailable
from bps.http.limits import Limits
from bps.http.server import HttpServer, Listen
from tests.unit.http.harness import token_of
from tests.unit.http.sockets import on_uvloop
from tests.unit.http.test_tls import Authority


async def greet(scope: Scope, _receive: Receive, send: Send) -> None:
    """An identity: the common name of the peer's certificate."""
    subject = scope["extensions"]["tls"]["peer_certificate"]["subject"]
    name = dict(pair for names in subject for pair in names)["commonName"]
    body = orjson.dumps({"principal": name, "roles": [], "credential": "c"})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def test_a_certificate_tells_who_asks_and_the_service_is_verified(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server", x509.DNSName("localhost"))
    mine = authority.issue("agent-7")
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")

    @on_uvloop
    async def body() -> None:
        listen = Listen("127.0.0.1", 0, cert, key, authority.ca_file)
        async with HttpServer(greet, listen, Limits()) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            target = Target.of(
                url,
                token=token_of("agent"),
                ca_file=authority.ca_file,
                cert_file=mine[0],
                key_file=mine[1],
            )
            async with BpsClient(target) as client:
                assert (await client.identity()).principal == "agent-7"
            async with BpsClient.connect(url, ca_file=stranger.ca_file) as client:
                with pytest.raises(ConfigError, match="not to be trusted"):
                    await client.identity()
            async with BpsClient.connect(server.url, ca_file=authority.ca_file) as client:
                with pytest.raises(ConfigError, match="not to be trusted"):
                    await client.identity()

    body()


def test_what_stands_between_us_and_the_service_is_named_with_what_to_do(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server", x509.DNSName("localhost"))
    (tmp_path / "other").mkdir()
    foreign = Authority(tmp_path / "other").issue("agent-7")

    @on_uvloop
    async def body() -> None:
        listen = Listen("127.0.0.1", 0, cert, key, authority.ca_file)
        async with HttpServer(greet, listen, Limits()) as server:
            plain = server.url.replace("https", "http")
            assert "use https://" in await advice(Target.of(plain), Unavailable)
            assert "use https://" in await advice(Target.of(plain), OutcomeUnknown)
            url = server.url.replace("127.0.0.1", "localhost")
            target = Target.of(
                url, ca_file=authority.ca_file, cert_file=foreign[0], key_file=foreign[1]
            )
            # Whether the alert comes before the end of the connection is not sure.
            assert "listen.client_ca_file" in await advice(target, BpsError)
            assert "listen.client_ca_file" in await advice(target, None)
        async with HttpServer(greet, Listen("127.0.0.1", 0), Limits()) as server:
            url = server.url.replace("http", "https")
            target = Target.of(url, ca_file=authority.ca_file)
            assert "Use http://" in await advice(target, ConfigError)
        assert "Start the service" in await advice(Target.of(server.url), Unavailable)

    body()


async def advice(target: Target, kind: type[BpsError] | None) -> str:
    """What a read (or, for OutcomeUnknown and None, a write) is told to do next."""
    writes = kind in {OutcomeUnknown, None}
    async with BpsClient(target) as client:
        with pytest.raises(kind or BpsError) as refused:
            await (client.revoke_token("0" * 16, op_id="op") if writes else client.identity())
    return next_action_of(refused.value)
