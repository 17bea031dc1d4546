"""How long a write may take, and what is refused before it costs anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from bps.core.txn import Committed, Conflict, Txn
from bps.http.deadline import HEADER
from bps.http.limits import Limits
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import Served, served

INITIATIVE = {"initiative": "one"}


@pytest.mark.parametrize("timeout", ["1000", "30000"])
@asynchronous
async def test_a_deadline_that_can_be_met_changes_nothing(timeout: str) -> None:
    async with served() as service:
        answer = await service.call(
            "POST", "/v1/initiatives", json=INITIATIVE, headers={HEADER: timeout}
        )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "timeout", ["0", "30001", "-1", "1.5", "", "1e3", "01", "+5", "99999999999", "\u00b2"]
)
@asynchronous
async def test_a_malformed_deadline_is_refused(timeout: str) -> None:
    async with served() as service:
        answer = await service.call(
            "POST",
            "/v1/initiatives",
            json=INITIATIVE,
            headers={HEADER: timeout.encode()},  # type: ignore[dict-item]
        )
        unknown = await service.call("GET", "/v1/initiatives/one")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")
    assert answer.json()["facts"] == {"field": HEADER}
    assert unknown.status_code == 404


@asynccontextmanager
async def stuck(service: Served) -> AsyncIterator[asyncio.Event]:
    """Every commit waits until the event is set."""
    freed, commit = asyncio.Event(), service.store.commit

    async def late(txn: Txn) -> Committed | Conflict:
        await freed.wait()
        return await commit(txn)

    service.store.commit = late  # type: ignore[method-assign]
    try:
        yield freed
    finally:
        freed.set()
        service.store.commit = commit  # type: ignore[method-assign]


@asynchronous
async def test_what_waits_too_long_is_refused_with_retry_after_and_never_done() -> None:
    limits = Limits(max_writes_in_flight=1, max_writes_waiting=2)
    async with served(limits) as service, stuck(service) as freed:
        first = asyncio.create_task(create(service, "one"))
        await eventually(under_way(service, 1), "the first runs")
        second = asyncio.create_task(create(service, "two", timeout_ms=100))
        await eventually(under_way(service, 2), "the second waits")
        full = await create(service, "three")
        assert (full.status_code, full.json()["code"]) == (503, "OVERLOADED")
        assert int(full.headers["Retry-After"]) >= 1
        await asyncio.sleep(0.15)
        freed.set()
        assert (await first).status_code == 201
        late = await second
        assert (late.status_code, late.json()["code"]) == (503, "OVERLOADED")
        assert (await service.call("GET", "/v1/initiatives/two")).status_code == 404
        assert (await create(service, "two")).status_code == 201


@asynchronous
async def test_a_full_line_is_told_before_the_body_is_read() -> None:
    limits = Limits(max_writes_in_flight=1, max_writes_waiting=1)
    async with served(limits) as service, stuck(service):
        under = [asyncio.create_task(create(service, name)) for name in ("one", "two")]
        await eventually(under_way(service, 2), "both are taken")
        answer = await service.call("POST", "/v1/initiatives", content=b"{", headers=_JSON)
        assert answer.json()["code"] == "OVERLOADED"
        for task in under:
            task.cancel()
        await asyncio.gather(*under, return_exceptions=True)
        await eventually(under_way(service, 0), "who went away holds no place")


_JSON = {"Content-Type": "application/json"}


async def create(service: Served, name: str, timeout_ms: int = 10_000) -> httpx.Response:
    headers = {HEADER: str(timeout_ms)}
    return await service.call("POST", "/v1/initiatives", json={"initiative": name}, headers=headers)


def under_way(service: Served, count: int) -> Callable[[], Awaitable[bool]]:
    async def condition() -> bool:
        return service.sidecar.writes.under_way == count

    return condition
