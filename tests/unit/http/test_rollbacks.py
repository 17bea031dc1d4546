"""An operator accepts over HTTP that an older state of the store was restored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bps.clock import SystemClock
from bps.core import keys
from bps.core.txn import KV, Put, Txn
from bps.http.app import create_app
from bps.http.limits import Limits
from bps.http.service import Service
from bps.keyring.private_key import PrivateKey
from bps.leadership.modes import Mode, Reason
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.unit.http.harness import RoleGuard, Served
from tests.unit.keyring.people import key_of

PLACE = "/v1/rollbacks"
YAML = {"Content-Type": "application/yaml"}
REASON = {"reason": "the disk was lost"}
LEASED = (keys.ROOT + b"leader/", keys.SIDECARS, keys.CLOCKS)
"""What no backup brings back: it ends with its lease."""


@pytest.fixture(autouse=True)
def checkpoints_come_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", 0.02)


@asynccontextmanager
async def serving(
    store: MemoryStore, mirror: Path | None, signer: PrivateKey | None
) -> AsyncIterator[Served]:
    """The application on a sidecar that signs with `signer` and has its mirror in `mirror`."""
    settings = SidecarSettings("test", signer=signer, mirror_dir=mirror)
    async with Sidecar(store, SystemClock(), settings) as sidecar:
        await sidecar.ready()
        guard = RoleGuard()
        app = create_app(Service(sidecar, guard, Limits()))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield Served(sidecar, store, client, app, guard)


async def register(service: Served, plan: str) -> None:
    """Register a plan, and wait until the mirror has a checkpoint that names it."""
    made = await service.call("PUT", f"/v1/plans/{plan}", content=b"title: a\n", headers=YAML)
    assert made.status_code == 201, made.text

    async def mirrored() -> bool:
        last = service.sidecar.mirror.mirror.last
        return last is not None and plan.encode() in last.stored

    await eventually(mirrored, f"{plan} is checkpointed and mirrored")


async def backup(store: MemoryStore) -> list[KV]:
    page = await store.page(keys.ROOT, keys.after_prefix(keys.ROOT), limit=10_000)
    return [kv for kv in page.kvs if not kv.key.startswith(LEASED)]


async def rolled_back(mirror: Path) -> MemoryStore:
    """A store that was restored from a backup older than what `mirror` holds."""
    async with serving(MemoryStore(SystemClock()), mirror, key_of(1)) as service:
        await register(service, "EP-1")
        kept = await backup(service.store)
        await register(service, "EP-2")
    store = MemoryStore(SystemClock())
    for kv in kept:
        await store.commit(Txn((), (Put(kv.key, kv.value),)))
    return store


async def accepted(store: MemoryStore) -> int:
    return await store.count(keys.ROLLBACKS)


@asynchronous
async def test_an_operator_accepts_a_rollback_once_and_the_sidecar_writes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Both look again each 5 s.
    monkeypatch.setattr("bps.sidecar.terms._PAUSE_ROLLED_BACK_S", 0.1)
    monkeypatch.setattr("bps.sidecar.mirror_keeper._RETRY_S", 0.1)
    store = await rolled_back(tmp_path)
    async with serving(store, tmp_path, key_of(1)) as service:
        assert service.sidecar.terms.reason is Reason.STORE_ROLLED_BACK
        refused = await service.call("PUT", "/v1/plans/EP-3", content=b"a: 1\n", headers=YAML)
        assert refused.json()["code"] == "STORE_ROLLED_BACK"
        last = service.sidecar.mirror.mirror.last
        assert last is not None

        for role in ("agent", "supervisor", "reviewer", "auditor"):
            denied = await service.call("POST", PLACE, role=role, json=REASON)
            assert (denied.status_code, denied.json()["code"]) == (403, "FORBIDDEN"), role
        assert await accepted(store) == 0

        done = await service.call("POST", PLACE, role="operator", key="accept", json=REASON)
        assert (done.status_code, done.headers["BPS-Outcome"]) == (201, "committed"), done.text
        record = done.json()
        assert (record["n"], record["by"], record["reason"]) == (
            "1",
            "operator-1",
            REASON["reason"],
        )
        assert record["lost"][-1] == {"seq": str(last.seq), "hash": last.hash}

        again = await service.call("POST", PLACE, role="operator", key="accept", json=REASON)
        assert (again.status_code, again.headers["BPS-Outcome"]) == (201, "repeated")
        assert again.json() == record
        assert await accepted(store) == 1

        async def writes() -> bool:
            return service.sidecar.terms.mode is Mode.READ_WRITE

        await eventually(writes, "it takes writes again")
        await register(service, "EP-3")
        nothing = await service.call("POST", PLACE, role="operator", json=REASON)
        assert (nothing.status_code, nothing.json()["code"]) == (409, "WRONG_STATE")
        assert await accepted(store) == 1


@asynchronous
async def test_checkpoints_of_another_mirror_are_accepted_as_lost(tmp_path: Path) -> None:
    store = await rolled_back(tmp_path)
    # This sidecar has no mirror of its own that could refuse.
    async with serving(store, None, key_of(1)) as service:
        lost = [{"seq": "900", "hash": "a" * 64}]
        wanted = {**REASON, "mirrored": lost}
        done = await service.call("POST", PLACE, role="operator", json=wanted)
        assert (done.status_code, done.json()["lost"]) == (201, lost), done.text
        noop = await service.call("POST", PLACE, role="operator", json=wanted)
        assert (noop.status_code, noop.headers["BPS-Outcome"]) == (201, "noop")
        assert noop.json() == done.json()


@asynchronous
async def test_where_nothing_was_lost_nothing_is_accepted(tmp_path: Path) -> None:
    async with serving(MemoryStore(SystemClock()), tmp_path, key_of(1)) as service:
        await register(service, "EP-1")
        held = await service.call("POST", PLACE, role="operator", json=REASON)
        assert (held.status_code, held.json()["code"]) == (409, "WRONG_STATE")
        assert held.json()["next_action"]
        assert await accepted(service.store) == 0


@asynchronous
async def test_a_sidecar_that_cannot_sign_accepts_nothing() -> None:
    async with serving(MemoryStore(SystemClock()), None, None) as service:
        refused = await service.call("POST", PLACE, role="operator", json=REASON)
        assert refused.json()["code"] == "CONFIG_ERROR", refused.text
        assert await accepted(service.store) == 0
