"""`GET /v1/reviews`: the open reviews of all plans, a page at a time."""

from __future__ import annotations

from typing import Any

from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import Served, served

YAML = {"Content-Type": "application/yaml"}


async def contradict(service: Served, plan: str) -> None:
    path = f"/v1/plans/{plan}"
    await service.call("PUT", path, content=b"retries: 3\n", headers=YAML)
    for n in (7, 9):
        cause = {"trace_id": f"t-{n}", "fingerprint": f"cause-{n}"}
        opened = (await service.call("POST", f"{path}/branches", json=cause)).json()
        submission = f"{path}/branches/{opened['rr_plan']}/submission"
        await service.call("POST", submission, content=b"retries: %d\n" % n, headers=YAML)
    assert (await service.call("POST", f"{path}/promotions")).status_code == 409


async def listed(service: Served, **query: Any) -> dict[str, Any]:
    answer = await service.call("GET", "/v1/reviews", params=query)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["BPS-Revision"]) > 0
    assert answer.headers["BPS-Consistency"] == "linearizable"
    found: dict[str, Any] = answer.json()
    return found


@asynchronous
async def test_open_reviews_are_paged_by_plan_and_leave_when_they_end() -> None:
    async with served() as service:
        assert await listed(service) == {"items": [], "next_cursor": None, "complete": True}
        for plan in ("EP-2", "EP-10", "EP-3"):
            await contradict(service, plan)

        async def seen() -> bool:
            return service.sidecar.pending.reviews == 3

        await eventually(seen, "the watch has told of all")
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = await listed(service, limit=1, **cursor)
            assert page["complete"]
            (review,) = page["items"]
            found.append(review["review"])
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == ["EP-10-RV1", "EP-2-RV1", "EP-3-RV1"]
        why = {"reason": "neither"}
        path = "/v1/plans/EP-10/reviews/1/rejection"
        assert (await service.call("POST", path, role="reviewer", json=why)).status_code == 200
        # What the watch has not told yet is seen in the record.
        left = [each["review"] for each in (await listed(service))["items"]]
        assert left == ["EP-2-RV1", "EP-3-RV1"]


@asynchronous
async def test_the_store_is_asked_about_plans_in_review_alone() -> None:
    async with served() as service:
        await contradict(service, "EP-2")
        for n in range(3, 9):
            await service.call("PUT", f"/v1/plans/EP-{n}", content=b"a: 1\n", headers=YAML)
        await listed(service)
        asked: list[bytes] = []
        snapshot = service.store.snapshot

        async def counting(reads: Any, **options: Any) -> Any:
            asked.extend(read.key for read in reads if b"plan-data/" in getattr(read, "key", b""))
            return await snapshot(reads, **options)

        service.store.snapshot = counting  # type: ignore[method-assign]
        assert [each["review"] for each in (await listed(service))["items"]] == ["EP-2-RV1"]
        assert [key for key in asked if key.endswith(b"/review")] == [
            b"/haios/bps/v1/plan-data/EP-2/review"
        ]
