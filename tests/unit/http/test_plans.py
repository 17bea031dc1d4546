"""Plans over HTTP: registering, reading, canonical without a round trip."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from bps.core.keys import PlanKeys
from bps.core.txn import Put, Txn
from bps.plans.model import Version
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.doubles.recording_store import RecordingStore
from tests.unit.http.harness import Served, served

YAML = {"Content-Type": "application/yaml"}
V1 = b"title: Checkout\n"


async def registered(service: Served, **options: Any) -> httpx.Response:
    return await service.call("PUT", "/v1/plans/EP-42", content=V1, headers=YAML, **options)


@asynchronous
async def test_a_plan_is_registered_once_and_each_repetition_has_the_first_answer() -> None:
    async with served() as service:
        first = await registered(service, key="k")
        again = await registered(service, key="k")
        other = await registered(service)
        assert (first.status_code, first.headers["BPS-Outcome"]) == (201, "committed")
        assert (again.status_code, again.headers["BPS-Outcome"]) == (201, "repeated")
        assert first.content == again.content
        assert (other.status_code, other.headers["BPS-Outcome"]) == (200, "noop")
        assert other.headers["BPS-Why"] == "EP-42 is registered already"
        assert "BPS-Why" not in first.headers


@asynchronous
async def test_a_repeated_noop_has_its_first_answer_and_its_key_is_spent() -> None:
    async with served() as service:
        await registered(service)
        noop = await registered(service, key="n")
        again = await registered(service, key="n")
        assert (again.status_code, again.headers["BPS-Outcome"]) == (200, "repeated")
        assert again.content == noop.content
        other = await service.call("PUT", "/v1/plans/EP-43", content=V1, headers=YAML, key="n")
        assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert (await service.call("GET", "/v1/plans/EP-43")).status_code == 404


@asynchronous
async def test_one_key_of_two_principals_is_two_operations() -> None:
    async with served() as service:
        assert (await registered(service, key="k")).headers["BPS-Outcome"] == "committed"
        second = await registered(service, key="k", role="operator")
        assert second.headers["BPS-Outcome"] == "noop"


@asynchronous
async def test_what_was_registered_is_read_back_byte_for_byte() -> None:
    async with served() as service:
        await registered(service, params={"title": "Kasse \u2714", "initiative": "default"})
        shown = await service.call("GET", "/v1/plans/EP-42")
        assert (shown.json()["title"], shown.json()["canonical_version"]) == ("Kasse \u2714", "1")
        for path in ("canonical", "versions/1"):
            record = await service.call("GET", f"/v1/plans/EP-42/{path}")
            version = Version.model_validate(record.json())
            assert record.headers["ETag"] == f'"{version.etag}"'
            content = await service.call("GET", f"/v1/plans/EP-42/{path}/blueprint")
            assert content.content == V1
            assert content.headers["ETag"] == record.headers["ETag"]
            assert content.headers["Content-Type"].startswith("application/yaml")
            assert int(record.headers["BPS-Revision"]) > 0


@pytest.mark.parametrize(
    ("path", "content", "media_type", "code"),
    [
        ("EP-42", b"title: [", "application/yaml", "BLUEPRINT_REFUSED"),
        ("EP-42", b"", "application/yaml", "INVALID_INPUT"),
        ("EP-42", V1, "application/json", "UNSUPPORTED_MEDIA_TYPE"),
        ("EP-042", V1, "application/yaml", "INVALID_ID"),
        ("EP-42?initiative=A", V1, "application/yaml", "INVALID_ID"),
        ("EP-42?title=a%0Ab", V1, "application/yaml", "INVALID_INPUT"),
        (f"EP-42?title={'a' * 201}", V1, "application/yaml", "INVALID_INPUT"),
        ("EP-42?titel=a", V1, "application/yaml", "INVALID_INPUT"),
    ],
)
def test_bad_input_is_refused_by_name_and_nothing_is_written(
    path: str, content: bytes, media_type: str, code: str
) -> None:
    @asynchronous
    async def check() -> None:
        async with served() as service:
            answer = await service.call(
                "PUT", f"/v1/plans/{path}", content=content, headers={"Content-Type": media_type}
            )
            assert answer.json()["code"] == code
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert (await service.call("GET", "/v1/plans")).json()["items"] == []

    check()


@pytest.mark.parametrize("version", ["0", "01", "+1", "1.0", "9" * 19, "9" * 20, "-1", "one"])
def test_a_version_is_named_by_its_number_only(version: str) -> None:
    @asynchronous
    async def check() -> None:
        async with served() as service:
            await registered(service)
            answer = await service.call("GET", f"/v1/plans/EP-42/versions/{version}")
            assert answer.json()["code"] == "INVALID_INPUT"

    check()


def recorded(service: Served) -> RecordingStore:
    """From now on every request of the service to its store is recorded."""
    store = RecordingStore(service.store)
    service.sidecar.store = store
    service.sidecar.degraded.store = service.sidecar.canonical._store = store
    return store


@asynchronous
async def test_a_known_canonical_version_costs_no_round_trip() -> None:
    async with served() as service:
        await registered(service)
        feed = service.sidecar.feed

        async def seen() -> bool:
            return feed.warm and feed.revision >= service.store._history.revision

        await eventually(seen, "the watch to have shown the plan")
        first = await service.call("GET", "/v1/plans/EP-42/canonical")
        store = recorded(service)
        for path in ("canonical", "canonical/blueprint"):
            known = await service.call(
                "GET",
                f"/v1/plans/EP-42/{path}",
                headers={"If-None-Match": f'"0-x", W/{first.headers["ETag"]}'},
            )
            assert (known.status_code, known.content) == (304, b"")
            assert known.headers["ETag"] == first.headers["ETag"]
        assert store.calls == []
        forced = await service.call(
            "GET", "/v1/plans/EP-42/canonical", headers={"Cache-Control": "No-Cache"}
        )
        assert (forced.status_code, store.calls) == (200, ["snapshot"])


@asynchronous
async def test_a_blueprint_that_is_not_what_its_name_says_is_never_sent() -> None:
    async with served() as service:
        digest = (await registered(service)).json()["digest"]
        await damage(service.store, PlanKeys("EP-42").blob(digest))
        answer = await service.call("GET", "/v1/plans/EP-42/canonical/blueprint")
        assert (answer.status_code, answer.json()["code"]) == (500, "DIGEST_MISMATCH")


async def damage(store: MemoryStore, key: bytes) -> None:
    await store.commit(Txn((), (Put(key, b"other"),)))


@asynchronous
async def test_one_operation_twice_at_once_is_done_once() -> None:
    async with served() as service:
        answers = await asyncio.gather(*(registered(service, key="k") for _ in range(5)))
        codes = sorted(answer.status_code for answer in answers)
        assert set(codes) <= {201, 409}
        assert 201 in codes
        assert all(
            answer.json()["code"] == "OPERATION_IN_FLIGHT"
            for answer in answers
            if answer.status_code == 409
        )
        assert (await registered(service, key="k")).headers["BPS-Outcome"] == "repeated"
