"""Branches over HTTP: opening, submitting, failing, rebasing, reading."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bps.core import ids
from tests.asynchronous import asynchronous
from tests.unit.http.harness import Served, served

YAML = {"Content-Type": "application/yaml"}
PLAN = "/v1/plans/EP-42"
CAUSE = {"trace_id": "trace-1", "fingerprint": "timeout"}
BRANCH = "br" + ids.branch_id_of("trace-1")[:8]


@asynccontextmanager
async def planned() -> AsyncIterator[Served]:
    async with served() as service:
        await service.call("PUT", PLAN, content=b"title: v1", headers=YAML)
        yield service


async def submit(service: Served, content: bytes, **options: Any) -> httpx.Response:
    path = f"{PLAN}/branches/{BRANCH}/submission"
    return await service.call("POST", path, content=content, headers=YAML, **options)


@asynchronous
async def test_a_branch_lives_from_its_opening_to_its_failure() -> None:
    async with planned() as service:
        opened = await service.call("POST", f"{PLAN}/branches", json=CAUSE)
        assert (opened.status_code, opened.json()["act"]) == (201, "opened")
        joined = await service.call("POST", f"{PLAN}/branches", json={**CAUSE, "trace_id": "t-2"})
        assert (joined.status_code, joined.json()["act"]) == (200, "joined")
        nothing = await service.call("GET", f"{PLAN}/branches/{BRANCH}/blueprint")
        assert (nothing.status_code, nothing.json()["code"]) == (404, "NOT_FOUND")
        submitted = await submit(service, b"title: v2", role="agent")
        assert (submitted.status_code, submitted.json()["state"]) == (200, "SUCCEEDED")
        content = await service.call("GET", f"{PLAN}/branches/{BRANCH}/blueprint")
        assert content.content == b"title: v2"
        known = {"If-None-Match": content.headers["ETag"]}
        again = await service.call("GET", f"{PLAN}/branches/{BRANCH}/blueprint", headers=known)
        assert again.status_code == 304
        for name in (BRANCH, BRANCH[2:], opened.json()["branch"], opened.json()["rr_plan"]):
            shown = await service.call("GET", f"{PLAN}/branches/{name}")
            assert shown.json()["rr_plan"] == opened.json()["rr_plan"]
        failed = await service.call(
            "POST", f"{PLAN}/branches/{BRANCH}/failure", json={"reason": "no"}, role="agent"
        )
        assert failed.json()["state"] == "OBSOLETE_FAILED"
        late = await submit(service, b"title: v3")
        assert (late.status_code, late.json()["code"]) == (409, "CLOCK_NULLIFIED")


@asynchronous
async def test_a_rebase_creates_only_where_canonical_has_moved() -> None:
    async with planned() as service:
        await service.call("POST", f"{PLAN}/branches", json=CAUSE)
        bodies: list[dict[str, Any]] = [{"content": b""}, {"json": {}}]
        for body in bodies:
            noop = await service.call("POST", f"{PLAN}/branches/{BRANCH}/rebase", **body)
            assert (noop.status_code, noop.headers["BPS-Outcome"]) == (200, "noop")
        other = {"trace_id": "trace-2", "fingerprint": "other"}
        second = (await service.call("POST", f"{PLAN}/branches", json=other)).json()
        path = f"{PLAN}/branches/{second['rr_plan']}/submission"
        await service.call("POST", path, content=b"title: v2", headers=YAML)
        promoted = await service.call("POST", f"{PLAN}/promotions")
        assert promoted.status_code == 201
        rebased = await service.call("POST", f"{PLAN}/branches/{BRANCH}/rebase", key="r")
        assert (rebased.status_code, rebased.json()["n"]) == (201, "2")
        again = await service.call("POST", f"{PLAN}/branches/{BRANCH}/rebase", key="r")
        assert (again.status_code, again.content) == (201, rebased.content)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"trace_id": "t"}, None),
        ({"trace_id": "t", "component": "a"}, None),
        ({**CAUSE, "component": "a"}, None),
        ({**CAUSE, "trace_id": 7}, "/trace_id"),
        ({**CAUSE, "trace_id": ""}, "/trace_id"),
        ({**CAUSE, "trace_id": " t"}, "/trace_id"),
        ({**CAUSE, "trace_id": "t" * 201}, "/trace_id"),
        ({**CAUSE, "summary": "a\x00b"}, "/summary"),
        ({**CAUSE, "summary": None}, "/summary"),
        ({**CAUSE, "extra": 1}, "/extra"),
        ({**CAUSE, "__proto__": {}}, "/__proto__"),
        ({**CAUSE, "clock": {"canonical": 1}}, "/clock/canonical"),
        ({**CAUSE, "clock": {"canonical": "01"}}, "/clock/canonical"),
        ({**CAUSE, "clock": {"canonical": "-1"}}, "/clock/canonical"),
        ({**CAUSE, "clock": {"canonical": "9223372036854775808"}}, "/clock/canonical"),
        ({**CAUSE, "clock": {"canonical": True}}, "/clock/canonical"),
        ({**CAUSE, "clock": {"stranger": "1"}}, "/clock/stranger/[key]"),
        ({**CAUSE, "clock": []}, "/clock"),
        ([], ""),
        ("text", ""),
    ],
)
def test_a_report_of_another_form_is_refused_with_its_place(body: Any, pointer: str | None) -> None:
    @asynchronous
    async def check() -> None:
        async with planned() as service:
            answer = await service.call("POST", f"{PLAN}/branches", json=body)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (400, "INVALID_INPUT")
            if pointer is not None:
                assert pointer in [field["pointer"] for field in problem["facts"]["fields"]]
            assert (await service.call("GET", f"{PLAN}/branches")).json()["items"] == []

    check()


@asynchronous
async def test_a_fingerprint_is_derived_as_on_the_command_line() -> None:
    async with planned() as service:
        parts = {"component": "Gateway ", "failure_class": "Time  out", "location": "pay"}
        trimmed = {name: text.strip() for name, text in parts.items()}
        body = {"trace_id": "t", **trimmed, "clock": {"canonical": "9223372036854775807"}}
        assert (await service.call("POST", f"{PLAN}/branches", json=body)).status_code == 201
        (branch,) = (await service.call("GET", f"{PLAN}/branches")).json()["items"]
        assert branch["fingerprint"] == ids.fingerprint_of(**parts)


@pytest.mark.parametrize("name", ["br1", "EP-43-RR(br66400e4b)-1", "x" * 41, "br66400e4b%00"])
def test_a_branch_is_named_by_its_known_forms_only(name: str) -> None:
    @asynchronous
    async def check() -> None:
        async with planned() as service:
            answer = await service.call("GET", f"{PLAN}/branches/{name}")
            assert answer.json()["code"] in {"INVALID_ID", "ROUTE_NOT_FOUND", "INVALID_INPUT"}

    check()
