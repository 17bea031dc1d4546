"""What came from where, over HTTP: read by keys of its own plan alone, once and then not again."""

from __future__ import annotations

from typing import Any

from bps.core.keys import PlanKeys
from bps.core.ports import Key
from bps.core.txn import Delete, Txn
from tests.asynchronous import asynchronous
from tests.doubles.recording_store import RecordingStore
from tests.unit.http.harness import Served, served

YAML = {"Content-Type": "application/yaml"}
PLAN = "/v1/plans/EP-42"
ORIGINS = f"{PLAN}/versions/2/origins"
BASE = b"title: checkout\n\nretries: 3\n\ntimeout_ms: 900\n"


async def fixed(service: Served, number: int, content: bytes) -> str:
    report = {"trace_id": f"trace-{number}", "fingerprint": f"cause {number}"}
    opened = (await service.call("POST", f"{PLAN}/branches", json=report)).json()
    path = f"{PLAN}/branches/{opened['branch']}/submission"
    assert (await service.call("POST", path, content=content, headers=YAML)).status_code == 200
    return str(opened["rr_plan"])


async def merged(service: Served) -> tuple[str, str]:
    """A plan whose version 2 merges two fixes."""
    await service.call("PUT", PLAN, content=BASE, headers=YAML)
    one = await fixed(service, 1, BASE.replace(b": 3", b": 5"))
    two = await fixed(service, 2, BASE.replace(b"timeout_ms: 900\n", b"carts: open\n"))
    answer = await service.call("POST", f"{PLAN}/promotions")
    assert (answer.status_code, answer.json()["version"]) == (201, "2")
    return one, two


@asynchronous
async def test_a_merged_version_tells_each_path() -> None:
    async with served() as service:
        one, two = await merged(service)
        answer = await service.call("GET", ORIGINS)
        assert answer.status_code == 200
        found = answer.json()
        assert (found["how"], found["version"], found["base_version"]) == ("merge", "2", "1")
        assert {each["source"] for each in found["sources"]} == {one, two}
        told: dict[str, Any] = {each.pop("path"): each for each in found["explain"]}
        assert told == {
            "/retries": changed("changed", one, 3, 5),
            "/carts": changed("added", two, None, "open"),
            "/timeout_ms": changed("deleted", two, 900, None),
        }
        record = await service.call("GET", f"{PLAN}/versions/2")
        assert answer.headers["ETag"] == record.headers["ETag"]
        known = {"If-None-Match": answer.headers["ETag"]}
        assert (await service.call("GET", ORIGINS, headers=known)).status_code == 304
        first = (await service.call("GET", f"{PLAN}/versions/1/origins")).json()
        assert (first["how"], first["base_version"], first["sources"]) == ("registration", None, [])


def changed(how: str, source: str, before: object, after: object) -> dict[str, object]:
    absent = [name for name, its in (("before", before), ("after", after)) if its is None]
    values = {"before": before, "after": after, "absent": absent, "cut": []}
    return {"change": how, "sources": [source], **values}


@asynchronous
async def test_it_reads_three_keys_of_its_own_plan() -> None:
    async with served() as service:
        await merged(service)
        store = RecordingStore(service.store)
        service.sidecar.degraded.store = store
        answer = await service.call("GET", ORIGINS)
        assert answer.status_code == 200
        assert store.calls == ["snapshot"] * 3
        keys = [read.key for reads in store.reads for read in reads if isinstance(read, Key)]
        assert len(keys) == 3
        assert all(key.startswith(PlanKeys("EP-42").root) for key in keys)


@asynchronous
async def test_what_is_not_there_is_named() -> None:
    async with served() as service:
        await merged(service)
        for path in (f"{PLAN}/versions/9/origins", "/v1/plans/EP-9/versions/1/origins"):
            answer = await service.call("GET", path)
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        named = (await service.call("GET", f"{PLAN}/versions/2")).json()["origins"]
        await service.store.commit(Txn((), (Delete(PlanKeys("EP-42").blob(named)),)))
        lost = await service.call("GET", ORIGINS)
        assert (lost.status_code, lost.json()["code"]) == (500, "DIGEST_MISMATCH")
