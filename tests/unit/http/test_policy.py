"""The policy over HTTP: a whole document, never over an unseen one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bps.core import keys
from bps.core.codec import sha256_hex
from bps.policy.model import DEFAULT_POLICY
from tests.asynchronous import asynchronous
from tests.unit.http.harness import Served, served

RULES = {**DEFAULT_POLICY.rules, "max_branches": 200}
YAML = {"Content-Type": "application/yaml"}


async def put(service: Served, body: Any, if_match: str | None = "*", **options: Any) -> Any:
    headers = {} if if_match is None else {"If-Match": if_match}
    return await service.call(
        "PUT", "/v1/policy", role="operator", json=body, headers=headers, **options
    )


@asynchronous
async def test_a_policy_is_replaced_as_a_whole_by_who_has_seen_the_one_before() -> None:
    async with served() as service:
        shown = await service.call("GET", "/v1/policy", role="agent")
        assert shown.json() == DEFAULT_POLICY.model_dump(mode="json")
        etag = shown.headers["ETag"]
        assert etag == f'"1-{sha256_hex(DEFAULT_POLICY.encode())}"'
        replaced = await put(service, RULES, etag, key="k")
        assert (replaced.status_code, replaced.json()) == (200, {"n": "2", **RULES})
        now = await service.call("GET", "/v1/policy")
        assert now.headers["ETag"] == replaced.headers["ETag"]
        assert now.json() == replaced.json()
        again = await put(service, RULES, etag, key="k")
        assert (again.content, again.headers["ETag"]) == (replaced.content, now.headers["ETag"])
        stale = await put(service, {**RULES, "max_branches": 100}, etag)
        assert (stale.status_code, stale.json()["facts"]["etag"]) == (412, now.headers["ETag"])
        stored = (await service.store.page(keys.ROOT + b"policy/", b"\xff", limit=9)).kvs[:3]
        assert [kv.key for kv in stored] == [keys.policy(1), keys.policy(2), keys.POLICY_CURRENT]
        assert stored[1].value == stored[2].value
        known = await service.call("GET", "/v1/policy", headers={"If-None-Match": "*"})
        assert known.status_code == 304


@asynchronous
async def test_without_if_match_nothing_is_replaced() -> None:
    async with served() as service:
        refused = await put(service, RULES, None)
        assert (refused.status_code, refused.json()["code"]) == (428, "PRECONDITION_REQUIRED")


@asynchronous
async def test_the_same_rules_are_in_force_already() -> None:
    async with served() as service:
        same = await put(service, DEFAULT_POLICY.rules)
        assert (same.status_code, same.headers["BPS-Outcome"], same.json()["n"]) == (
            200,
            "noop",
            "1",
        )


@asynchronous
async def test_of_two_replacements_at_once_one_is_stale() -> None:
    async with served() as service:
        etag = (await service.call("GET", "/v1/policy")).headers["ETag"]
        answers = await asyncio.gather(
            *(put(service, {**RULES, "max_branches": n}, etag) for n in (10, 20, 30))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412]


@asynchronous
async def test_the_next_write_obeys_the_new_policy() -> None:
    async with served() as service:
        await service.call("PUT", "/v1/plans/EP-1", content=b"title: a", headers=YAML)
        await put(service, {**RULES, "max_blueprint_bytes": 9})
        large = await service.call("PUT", "/v1/plans/EP-2", content=b"title: abcd", headers=YAML)
        assert large.json()["code"] == "LIMIT_EXCEEDED"
        await put(service, {**RULES, "max_branches": 1})
        for number, status in ((1, 201), (2, 409)):
            body = {"trace_id": f"t{number}", "fingerprint": f"f{number}"}
            opened = await service.call("POST", "/v1/plans/EP-1/branches", json=body)
            assert opened.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**RULES, "n": "3"},
        {**RULES, "n": "1"},
        {**RULES, "n": 2},
        {**RULES, "max_branches": "200"},
        {**RULES, "max_branches": 200.0},
        {**RULES, "max_branches": True},
        {**RULES, "max_branches": 0},
        {**RULES, "max_branches": 256},
        {**RULES, "more": 1},
        {name: rule for name, rule in RULES.items() if name != "max_branches"},
        [RULES],
    ],
)
def test_another_form_is_refused_and_the_policy_stays(body: Any) -> None:
    @asynchronous
    async def check() -> None:
        async with served() as service:
            answer = await put(service, body)
            assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_INPUT")
            assert (await service.call("GET", "/v1/policy")).json()["n"] == "1"

    check()


@asynchronous
async def test_the_next_number_may_be_said() -> None:
    async with served() as service:
        assert (await put(service, {**RULES, "n": "2"})).json()["n"] == "2"


@asynchronous
async def test_a_key_that_changed_nothing_is_spent_for_other_rules() -> None:
    async with served() as service:
        assert (await put(service, DEFAULT_POLICY.rules, key="k")).status_code == 200
        other = await put(service, RULES, key="k")
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert (await service.call("GET", "/v1/policy")).json()["n"] == "1"
