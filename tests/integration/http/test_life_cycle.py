"""The life of a plan over HTTP on the three-member cluster."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import httpx
import pytest

from bps.store.etcd import EtcdStore
from tests.asynchronous import asynchronous
from tests.cluster import EtcdCluster
from tests.integration.http.served import TOKEN, serving

pytestmark = pytest.mark.cluster

PLAN = "/v1/plans/EP-42"
YAML = {"Content-Type": "application/yaml"}
_numbers = count()


async def ask(
    client: httpx.AsyncClient, method: str, path: str, status: int, **options: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", **options.pop("headers", {})}
    if method != "GET":
        headers.setdefault("Idempotency-Key", f"op-{next(_numbers)}")
    answer = await client.request(method, path, headers=headers, **options)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
    return answer


async def fix(client: httpx.AsyncClient, number: int) -> str:
    """Open a branch and submit its fix; the RR-plan's id."""
    report = {"trace_id": f"trace-{number}", "fingerprint": f"cause {number}"}
    opened = await ask(client, "POST", f"{PLAN}/branches", 201, json=report)
    rr_plan: str = opened.json()["rr_plan"]
    await ask(
        client,
        *("POST", f"{PLAN}/branches/{rr_plan}/submission", 200),
        content=f"title: fix {number}".encode(),
        headers=YAML,
    )
    return rr_plan


async def life(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=15) as client:
        await ask(client, "PUT", PLAN, 201, content=b"title: v1", headers=YAML)
        one, two = await fix(client, 1), await fix(client, 2)
        seen = (await ask(client, "GET", f"{PLAN}/canonical", 200)).headers["ETag"]
        # Both saw version 1: one publishes, the other learns what is canonical now.
        answers = await asyncio.gather(
            *(
                client.post(
                    f"{PLAN}/promotions",
                    json={"branches": [rr_plan]},
                    headers={
                        "Authorization": f"Bearer {TOKEN}",
                        "Idempotency-Key": f"promote-{number}",
                        "If-Match": seen,
                    },
                )
                for number, rr_plan in enumerate((one, two))
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 412]
        lost = one if answers[0].status_code == 412 else two
        waits = await ask(client, "POST", f"{PLAN}/promotions", 409, json={"branches": [lost]})
        assert waits.json()["code"] == "MERGE_CONFLICT"
        rebased = await ask(client, "POST", f"{PLAN}/branches/{lost}/rebase", 201)
        await ask(
            client,
            *("POST", f"{PLAN}/branches/{rebased.json()['rr_plan']}/submission", 200),
            content=b"title: both",
            headers=YAML,
        )
        present = (await ask(client, "GET", f"{PLAN}/canonical", 200)).headers["ETag"]
        known = {"If-None-Match": present}
        await ask(client, "GET", f"{PLAN}/canonical", 304, headers=known)
        published = await ask(
            client, "POST", f"{PLAN}/promotions", 201, headers={"If-Match": present}
        )
        receipt = published.json()["receipt"]
        # What this service has published is at once what it shows.
        shown = await ask(client, "GET", f"{PLAN}/canonical", 200, headers=known)
        assert shown.json()["version"] == "3"
        await ask(client, "POST", f"{PLAN}/reverts", 201, json={"to": "1"})
        proof = {"receipt_seq": receipt["seq"], "receipt_hash": receipt["hash"]}
        await ask(client, "GET", f"{PLAN}/verification", 200, params=proof)
        replayed = await ask(client, "GET", f"{PLAN}/replay", 200)
        assert replayed.json()["version"] == "4"
        checks = (await ask(client, "GET", "/v1/doctor", 200)).json()
        assert "quorum" in {check["check"] for check in checks if check["status"] == "ok"}


def test_a_plan_lives_over_http_on_the_cluster(fresh_cluster: EtcdCluster) -> None:
    @asynchronous
    async def whole_life() -> None:
        async with (
            EtcdStore(fresh_cluster.endpoints) as store,
            serving(store) as url,
        ):
            await life(url)

    whole_life()
