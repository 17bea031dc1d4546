"""Promotions and reverts over HTTP: `If-Match` is the compare-and-swap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.asynchronous import asynchronous
from tests.unit.http.harness import Served, served

YAML = {"Content-Type": "application/yaml"}
PLAN = "/v1/plans/EP-42"


async def fixed(service: Served, number: int) -> str:
    """A branch whose fix has been submitted; its RR-plan's id."""
    body = {"trace_id": f"t{number}", "fingerprint": f"f{number}"}
    opened = (await service.call("POST", f"{PLAN}/branches", json=body)).json()
    path = f"{PLAN}/branches/{opened['rr_plan']}/submission"
    content = f"title: fix {number}".encode()
    assert (await service.call("POST", path, content=content, headers=YAML)).status_code == 200
    return str(opened["rr_plan"])


async def etag(service: Served) -> str:
    canonical = await service.call(
        "GET", f"{PLAN}/canonical", headers={"Cache-Control": "no-cache"}
    )
    return canonical.headers["ETag"]


@asynccontextmanager
async def planned() -> AsyncIterator[Served]:
    async with served() as service:
        await service.call("PUT", PLAN, content=b"title: v1", headers=YAML)
        yield service


@asynchronous
async def test_a_promotion_publishes_and_its_repetition_has_the_same_answer() -> None:
    async with planned() as service:
        rr_plan = await fixed(service, 1)
        seen = await etag(service)
        body = {"branches": [rr_plan, rr_plan], "reason": "why"}
        first = await service.call(
            "POST", f"{PLAN}/promotions", json=body, key="p", headers={"If-Match": seen}
        )
        assert (first.status_code, first.json()["version"]) == (201, "2")
        again = await service.call(
            "POST", f"{PLAN}/promotions", json=body, key="p", headers={"If-Match": seen}
        )
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["BPS-Outcome"] == "repeated"
        other = await service.call("POST", f"{PLAN}/promotions", json=body, key="p")
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("act", ["promotions", "reverts"])
def test_a_stale_etag_is_refused_and_the_answer_names_the_present_one(act: str) -> None:
    @asynchronous
    async def check() -> None:
        async with planned() as service:
            stale = await etag(service)
            await fixed(service, 1)
            await service.call("POST", f"{PLAN}/promotions")
            await fixed(service, 2)
            body: dict[str, Any] = {"to": "1"} if act == "reverts" else {}
            for header in (stale, f"W/{await etag(service)}", '"2-x", "3-y"'):
                refused = await service.call(
                    "POST", f"{PLAN}/{act}", json=body, headers={"If-Match": header}
                )
                assert refused.status_code == 412
                assert refused.json()["code"] == "PRECONDITION_FAILED"
                assert refused.json()["facts"]["etag"] == await etag(service)
            versions = (await service.call("GET", f"{PLAN}/versions")).json()["items"]
            assert len(versions) == 2

    check()


@pytest.mark.parametrize("header", ["", "2-abc", '"2-abc', "**"])
def test_a_malformed_if_match_is_no_precondition_but_an_error(header: str) -> None:
    @asynchronous
    async def check() -> None:
        async with planned() as service:
            await fixed(service, 1)
            refused = await service.call("POST", f"{PLAN}/promotions", headers={"If-Match": header})
            assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_INPUT")

    check()


@asynchronous
async def test_any_version_will_do_for_a_star_and_a_list() -> None:
    async with planned() as service:
        await fixed(service, 1)
        for act, body, header in (
            ("promotions", {}, f'"0-x", {await etag(service)}'),
            ("reverts", {"to": "1", "reason": "back"}, "*"),
        ):
            done = await service.call(
                "POST", f"{PLAN}/{act}", json=body, headers={"If-Match": header}
            )
            assert done.status_code == 201
        unchanged = await service.call("POST", f"{PLAN}/reverts", json={"to": "1"})
        assert (unchanged.status_code, unchanged.json()["how"]) == (200, "unchanged")


@asynchronous
async def test_of_two_who_saw_the_same_version_one_publishes() -> None:
    async with planned() as service:
        names = [await fixed(service, 1), await fixed(service, 2)]
        seen = {"If-Match": await etag(service)}
        answers = await asyncio.gather(
            *(
                service.call("POST", f"{PLAN}/promotions", json={"branches": [name]}, headers=seen)
                for name in names
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 412]


@asynchronous
async def test_a_dry_run_decides_and_writes_nothing() -> None:
    async with planned() as service:
        await fixed(service, 1)
        before = await etag(service)
        body = {"dry_run": True}
        tried = await service.call("POST", f"{PLAN}/promotions", json=body, key="k")
        assert (tried.status_code, tried.json()["version"]) == (200, "2")
        assert (tried.json()["receipt"], tried.headers["BPS-Outcome"]) == (None, "noop")
        assert await etag(service) == before
        done = await service.call("POST", f"{PLAN}/promotions", key="k")
        assert done.status_code == 201


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("promotions", {"branches": "br66400e4b"}),
        ("promotions", {"branches": [7]}),
        ("promotions", {"branches": ["br66400e4b"] * 256}),
        ("promotions", {"dry_run": "true"}),
        ("promotions", {"dry_run": 1}),
        ("promotions", {"reason": "a" * 2_001}),
        ("reverts", {}),
        ("reverts", {"to": 1}),
        ("reverts", {"to": "0"}),
        ("reverts", {"to": True}),
        ("reverts", {"to": "9223372036854775808"}),
    ],
)
def test_another_form_is_refused(act: str, body: dict[str, Any]) -> None:
    @asynchronous
    async def check() -> None:
        async with planned() as service:
            answer = await service.call("POST", f"{PLAN}/{act}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")

    check()
