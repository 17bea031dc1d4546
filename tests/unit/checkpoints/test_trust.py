"""The rows of `bps doctor` on keys, checkpoints and the mirror."""

from __future__ import annotations

from pathlib import Path

from bps.checkpoints.follow import catch_up
from bps.checkpoints.mirror import Mirror
from bps.checkpoints.trust import (
    TrustCheck,
    trust_in_mirror,
    trust_in_sidecar,
    trust_in_store,
)
from bps.core import keys
from bps.core.errors import StoreRolledBack, WrongState
from bps.core.txn import Delete, Put
from tests.asynchronous import asynchronous
from tests.doubles.scene import PLAN, Scene
from tests.unit.checkpoints.trail import SIGNER, Trail
from tests.unit.keyring.people import People, key_of


async def rows(trail: Trail) -> dict[str, TrustCheck]:
    return {row.name: row for row in await trust_in_store(trail.scene.memory)}


@asynchronous
async def test_an_empty_store_warns_of_what_lacks() -> None:
    found = await rows(Trail(await Scene.make(plan=None)))
    assert {name: row.status for name, row in found.items()} == {
        "key registry": "warning",
        "checkpoints": "warning",
    }
    assert all(row.action for row in found.values())


@asynchronous
async def test_a_store_in_order_says_who_signed_and_who_keeps_the_keys() -> None:
    trail = await Trail.make()
    people = People(trail.scene)
    told = []
    for n, holder in enumerate(("alice", "bob", "carol"), 2):
        told.append((await rows(trail))["key registry"].detail.partition(";")[0])
        await people.add(holder, key_of(n))
    assert told == [
        "1 valid key, 0 holders of 3",
        "2 valid keys, 1 holder of 3",
        "3 valid keys, 2 holders of 3",
    ]
    await trail.advance(PLAN)
    found = await rows(trail)
    assert {row.status for row in found.values()} == {"ok"}
    assert "2 must approve" in found["key registry"].detail
    assert f"signed by {SIGNER.public.key_id} (bps), verified" in found["checkpoints"].detail


@asynchronous
async def test_damage_is_failed_and_named() -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    await trail.tamper(Delete(keys.checkpoint(1)))
    assert (await rows(trail))["checkpoints"].detail == "Checkpoint 1 is missing."
    await trail.tamper(Put(keys.key(SIGNER.public.key_id), b"{}"))
    assert (await rows(trail))["key registry"].status == "failed"


@asynchronous
async def test_a_mirror_is_shown_without_its_path(tmp_path: Path) -> None:
    trail = await Trail.make()
    await trail.advance(PLAN)
    mirror = Mirror.open(tmp_path / "mirror")
    try:
        await catch_up(trail.scene.memory, mirror)
        agrees = trust_in_mirror(mirror, None)
        assert (agrees.status, agrees.detail) == ("ok", "mirror: checkpoint 1, agrees")
        rolled_back = trust_in_mirror(mirror, StoreRolledBack("An older state was restored."))
        assert (rolled_back.status, rolled_back.detail[:12]) == ("failed", "rolled back:")
        assert str(tmp_path) not in agrees.detail + rolled_back.detail
    finally:
        mirror.close()
    assert "trust on first use" in trust_in_mirror(Mirror(), None).detail


def test_a_sidecar_says_why_it_signs_nothing() -> None:
    assert trust_in_sidecar(None, None, None, set())[0].status == "warning"
    assert [row.status for row in trust_in_sidecar(SIGNER, None, None, set())] == ["ok"]
    problem = WrongState("The key is not registered.")
    refused, lost = trust_in_sidecar(SIGNER, None, problem, {"EP-2", "EP-1"})
    assert (refused.status, lost.status) == ("failed", "failed")
    assert "not registered" in refused.detail
    assert "EP-1, EP-2" in lost.detail
