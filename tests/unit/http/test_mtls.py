"""Coming in by a client certificate, over real TLS, through the real guard."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
from cryptography import x509

from bps.http.limits import Limits
from bps.http.server import HttpServer
from bps.identity.end import RevokeToken
from bps.identity.roles import Role
from tests.asynchronous import eventually
from tests.unit.http.guarded import guarded
from tests.unit.http.sockets import on_uvloop
from tests.unit.http.test_tls import SPIFFE, Authority, listen_of


def client_of(
    authority: Authority, server: HttpServer, certificate: tuple[Path, Path] | None = None
) -> httpx.AsyncClient:
    """A client of `server` that shows `certificate`, if there is one."""
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.check_hostname = False
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return httpx.AsyncClient(verify=context, base_url=server.url, trust_env=False)


def test_a_certificate_is_its_principal_until_it_is_revoked(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    @on_uvloop
    async def body() -> None:
        agent = authority.issue("agent", x509.UniformResourceIdentifier(SPIFFE))
        stranger = authority.issue("stranger", x509.DNSName("stranger.example.org"))
        async with (
            guarded() as world,
            HttpServer(world.app, listen_of(authority), Limits()) as server,
            client_of(authority, server, agent) as client,
            client_of(authority, server, stranger) as other,
            client_of(authority, server) as nobody,
        ):
            credential = await world.certified(f"uri:{SPIFFE}", Role.AGENT, principal="agent-7")
            found = await client.get("/v1/identity")
            assert found.json() == {
                "principal": "agent-7",
                "roles": ["agent"],
                "credential": credential,
            }
            assert (await client.get("/v1/tokens")).status_code == 403
            assert (await other.get("/v1/identity")).status_code == 401
            assert (await nobody.get("/v1/identity")).status_code == 401
            # On the same connection, and by the watch alone.
            await world.sidecar.execute(RevokeToken("tester", "r", credential))

            async def refused() -> bool:
                return (await client.get("/v1/identity")).status_code == 401

            await eventually(refused, "the revoked certificate is refused", deadline_s=2.0)

    body()
