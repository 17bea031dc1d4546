"""What answers say of themselves without a quorum, over HTTP and in the client."""

from __future__ import annotations

import pytest

from bps.client import BpsClient, Target
from bps.core.errors import Unavailable
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import Served, served, token_of
from tests.unit.sidecar.test_degraded import Minority

YAML = {"Content-Type": "application/yaml"}
PLAN = "/v1/plans/EP-42"
CONTENT = b"title: a\n"


async def divided(service: Served) -> Minority:
    """The service with a plan, which reads through what `Minority` lets through."""
    # The watch has to stand before the blueprint comes by it.
    await service.sidecar.ready()
    await service.call("PUT", PLAN, content=CONTENT, headers=YAML)

    async def seen() -> bool:
        return service.sidecar.feed.revision >= service.store._history.revision

    await eventually(seen, "the watch to have shown the plan")
    store = Minority(service.store)
    service.sidecar.degraded.store = store
    return store


@asynchronous
async def test_labels_are_those_of_how_it_was_read() -> None:
    async with served() as service:
        store = await divided(service)
        whole = await service.call("GET", PLAN)
        assert whole.headers["BPS-Consistency"] == "linearizable"
        assert not {"BPS-Age-Ms", "BPS-Degraded"} & set(whole.headers)
        store.lost = True
        for path in (PLAN, f"{PLAN}/branches", "/v1/plans", f"{PLAN}/versions/1/blueprint"):
            answer = await service.call("GET", path)
            assert answer.status_code == 200, path
            assert answer.headers["BPS-Consistency"] == "serializable", path
            assert answer.headers["BPS-Degraded"] == "quorum_lost", path
            assert int(answer.headers["BPS-Age-Ms"]) >= 0
        etag = answer.headers["ETag"]
        known = await service.call("GET", path, headers={"If-None-Match": etag})
        assert (known.status_code, known.headers["BPS-Consistency"]) == (304, "serializable")


@asynchronous
async def test_memory_answers_for_canonical_where_no_member_does() -> None:
    async with served() as service:
        store = await divided(service)
        await service.call("GET", f"{PLAN}/canonical")
        store.down = True
        fresh = {"Cache-Control": "no-cache"}
        for path in ("canonical", "canonical/blueprint"):
            answer = await service.call("GET", f"{PLAN}/{path}", headers=fresh)
            assert answer.status_code == 200, answer.text
            assert answer.headers["BPS-Consistency"] == "cache"
            assert answer.headers["BPS-Degraded"] == "no_answer"
        assert answer.content == CONTENT
        assert (await service.call("GET", PLAN)).status_code == 503


@pytest.mark.parametrize("wrong", ["", "-1", "1.0", "x", "9" * 19])
@asynchronous
async def test_a_minimal_revision_is_a_number(wrong: str) -> None:
    async with served() as service:
        answer = await service.call("GET", "/v1/plans", headers={"BPS-Min-Revision": wrong})
        assert answer.json()["code"] == "INVALID_INPUT"


@asynchronous
async def test_a_client_never_reads_back_behind_what_it_has_seen() -> None:
    async with served() as service:
        store = await divided(service)
        target = Target.of("http://127.0.0.1", token=token_of("supervisor"))
        transport = service.client._transport
        async with BpsClient(target, transport=transport, timeout_s=1.0) as client:
            before = (await service.store.status())[0].revision
            await client.plan("EP-42")
            await store.put(b"newer")
            await client.plan("EP-42")
            store.lost, store.memory.applied = True, before
            with pytest.raises(Unavailable) as refused:
                await client.plan("EP-42")
            assert refused.value.facts["have"] == str(before)
            store.memory.applied = None
            await client.plan("EP-42")
            assert client.staleness is not None
            assert (client.staleness.reason, client.staleness.revision > before) == (
                "quorum_lost",
                True,
            )
