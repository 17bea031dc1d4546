"""Two of three members are killed or frozen: reads go on and say how old they are."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.asynchronous import asynchronous, eventually
from tests.cluster import EtcdCluster
from tests.integration.http.served import TOKEN
from tests.integration.http.service_process import service

pytestmark = pytest.mark.cluster

PLAN = "/v1/plans/EP-1"
CONTENT = b"title: Checkout\n"
PATHS = (PLAN, f"{PLAN}/canonical", f"{PLAN}/canonical/blueprint", f"{PLAN}/branches")
WITHIN_S = 1.0
OK, CREATED, UNAVAILABLE = 200, 201, 503


def writing(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key, "Content-Type": "application/yaml"}


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_reads_go_on_without_a_quorum(fresh_cluster: EtcdCluster, fault: str) -> None:
    @asynchronous
    async def check() -> None:
        async with (
            service(*fresh_cluster.endpoints) as (url, _),
            httpx.AsyncClient(
                base_url=url,
                headers={"Authorization": f"Bearer {TOKEN}"},
                trust_env=False,
                timeout=15,
            ) as client,
        ):

            async def registered() -> bool:
                made = await client.put(PLAN, content=CONTENT, headers=writing("r"))
                return made.status_code == CREATED

            await eventually(registered, "the service writes")
            fresh = {"Cache-Control": "no-cache"}
            before = {path: await client.get(path, headers=fresh) for path in PATHS}
            assert {a.headers["BPS-Consistency"] for a in before.values()} == {"linearizable"}

            stopped = [fresh_cluster.member(index) for index in (0, 1)]
            for member in stopped:
                await asyncio.to_thread(getattr(member, fault))
            for path, known in before.items():
                begun_s = time.monotonic()
                answer = await client.get(path, headers=fresh)
                assert time.monotonic() - begun_s < WITHIN_S, path
                assert (answer.status_code, answer.content) == (OK, known.content), path
                assert answer.headers["BPS-Consistency"] in {"serializable", "cache"}, path
                assert answer.headers["BPS-Degraded"], path
                assert 0 <= int(answer.headers["BPS-Age-Ms"]) < 30_000
                assert int(answer.headers["BPS-Revision"]) >= int(known.headers["BPS-Revision"])
            etag = before[PATHS[1]].headers["ETag"]
            same = await client.get(PATHS[1], headers={**fresh, "If-None-Match": etag})
            assert (same.status_code, "BPS-Age-Ms" in same.headers) == (304, True)

            async def refused() -> bool:
                answer = await client.put("/v1/plans/EP-2", content=CONTENT, headers=writing("x"))
                return answer.status_code == UNAVAILABLE

            await eventually(refused, "writes are refused")
            stopped[0].heal()

            async def whole() -> bool:
                answers = [await client.get(path, headers=fresh) for path in PATHS]
                return {a.headers.get("BPS-Consistency") for a in answers} == {"linearizable"}

            await eventually(whole, "reads are linearizable again", deadline_s=15)

    check()
