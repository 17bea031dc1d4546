"""Liveness and readiness, for this host unless set public."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bps.core.errors import NotLeader, StoreRolledBack
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.leadership.modes import Reason
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import RoleGuard, Served, served


@asynchronous
async def test_it_is_ready_while_it_leads_and_not_when_it_drains() -> None:
    async with served() as service:

        async def ready() -> bool:
            return (await service.call("GET", "/readyz", role=None)).status_code == 200

        await eventually(ready, "it is ready")
        verbose = (await service.call("GET", "/readyz?verbose", role=None)).json()
        assert verbose["mode"] == "READ_WRITE"
        assert verbose["leader"] == "test-sidecar"
        assert verbose["reason"] is None
        assert verbose["feed_revision"].isdecimal()
        leads = await service.call("GET", "/leaderz", role=None)
        assert (leads.status_code, leads.json()) == (200, {"leads": True})
        service.sidecar.drain()
        leads = await service.call("GET", "/leaderz", role=None)
        assert (leads.status_code, leads.json()["code"]) == (503, "NOT_LEADER")
        answer = await service.call("GET", "/readyz?verbose", role=None)
        assert (answer.status_code, answer.json()["reason"]) == (503, "draining")
        assert answer.headers["cache-control"] == "no-store"
        assert (await service.call("GET", "/livez", role=None)).status_code == 200


@pytest.mark.parametrize(
    ("peer", "public", "status"),
    [
        ("192.0.2.1", False, 403),
        ("192.0.2.1", True, 200),
        ("127.0.0.1", False, 200),
        ("::1", False, 200),
        ("::ffff:127.0.0.1", False, 200),
        ("2001:db8::1", False, 403),
    ],
)
def test_other_hosts_are_answered_only_where_that_is_set(
    peer: str, public: bool, status: int
) -> None:
    @asynchronous
    async def body() -> None:
        async with served() as service:
            for path in ("/livez", "/readyz", "/leaderz"):
                await asks_as(service, peer, path, public=public, status=status)

    body()


async def asks_as(service: Served, peer: str, path: str, *, public: bool, status: int) -> None:
    shown = Service(service.sidecar, RoleGuard(), Limits(), public_health=public)
    app = create_app(shown)
    transport = httpx.ASGITransport(app=app, client=(peer, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get(path)
    assert answer.status_code == status
    if status == httpx.codes.FORBIDDEN:
        assert "`public_health = true`" in answer.json()["next_action"]


@asynchronous
async def test_where_writing_is_forbidden_nobody_is_sent_whatever_forbids_it() -> None:
    async with served() as service:
        service.sidecar.terms.lost(StoreRolledBack("The store lost what it had."))
        answer = await service.call("GET", "/leaderz", role=None)
        assert (answer.status_code, answer.json()["detail"]) == (503, "The store lost what it had.")
        assert answer.headers["Retry-After"]


@asynchronous
async def test_a_part_of_the_sidecar_that_ends_by_itself_is_noticed() -> None:
    async with served() as service:
        watching = asyncio.create_task(service.sidecar.failure())
        await asyncio.sleep(0)
        assert not watching.done()
        service.sidecar.tasks.named("feed").cancel()
        assert await watching == ("feed", None)


@asynchronous
async def test_the_last_act_of_a_term_is_that_nothing_more_is_written() -> None:
    async with served() as service:
        service.sidecar.drain()
        service.sidecar.terms.write_path()
        service.sidecar.terms.drain()
        with pytest.raises(NotLeader, match="shutting down"):
            service.sidecar.terms.write_path()
        assert service.sidecar.terms.reason is Reason.DRAINING
