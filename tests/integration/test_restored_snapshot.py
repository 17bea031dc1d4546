"""A real etcd whose data directory is put back to an older copy, as a restored backup is (R13)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from bps.bootstrap import Settings, lead, open_store
from bps.checkpoints.accept import AcceptRollback, shown
from bps.checkpoints.accepted import accepted_rollbacks
from bps.checkpoints.mirror_lines import mirrored
from bps.checkpoints.proof import witnesses
from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import StoreRolledBack
from bps.core.ports import Key, Store
from bps.keyring.private_key import read_or_make_private_key
from bps.leadership.modes import Mode, Reason
from bps.plans.results import Receipt
from bps.replay.verify import verify
from bps.sidecar.rollbacks import accept_rollback
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from tests.asynchronous import eventually, run
from tests.doubles.scene import registration
from tests.unit.cli.invoke import invoke


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for interval in ("terms._PAUSE_ROLLED_BACK_S", "mirror_keeper._RETRY_S"):
        monkeypatch.setattr(f"bps.sidecar.{interval}", 0.2)
    monkeypatch.setattr("bps.sidecar.checkpoint_keeper.INTERVAL_S", 0.2)


@asynccontextmanager
async def running(root: Path, mirror: Path | None) -> AsyncIterator[tuple[Sidecar, Store]]:
    """A sidecar on an etcd process of its own, whose data are in `root`."""
    async with open_store(Settings(data_dir=root / "etcd")) as store:
        signer = read_or_make_private_key(root / "signing-key.pem")
        settings = SidecarSettings("test", signer=signer, mirror_dir=mirror)
        async with Sidecar(store, SystemClock(), settings) as sidecar:
            await sidecar.terms.decided()
            yield sidecar, store


async def register(sidecar: Sidecar, plan: str) -> Receipt:
    """Register a plan and wait until a checkpoint names it and the mirror has that."""
    outcome = await sidecar.execute(registration(plan))

    async def done() -> bool:
        index = (await sidecar.store.snapshot([Key(keys.checkpointed(plan))])).answers[0]
        last = sidecar.mirror.mirror.last
        return bool(index) and last is not None and plan.encode() in last.stored

    await eventually(done, f"{plan} is checkpointed and mirrored")
    assert outcome.result.receipt is not None
    return outcome.result.receipt


async def writes(sidecar: Sidecar) -> None:
    """Wait until it takes writes; a mode that refuses is looked at again each 5 s."""

    async def done() -> bool:
        return sidecar.terms.mode is Mode.READ_WRITE

    await eventually(done, "the sidecar writes", deadline_s=20.0)


def archives(mirror: Path) -> list[list[str]]:
    """The numbers of the checkpoints in each archive of what was lost."""
    found = sorted(mirror.glob("lost-*.ndjson"))
    return [[orjson.loads(line)["seq"] for line in p.read_bytes().splitlines()] for p in found]


def refuses(sidecar: Sidecar) -> None:
    """It is read-only for the rollback."""
    standing = (sidecar.terms.mode, sidecar.terms.reason)
    assert standing == (Mode.READ_ONLY, Reason.STORE_ROLLED_BACK)


def test_a_restored_snapshot_that_was_written_on_is_refused_by_name(tmp_path: Path) -> None:
    run(restore_and_write_on(tmp_path))
    etcd = {"BPS_ETCD_ENDPOINTS": None, "BPS_ETCD_DATA_DIR": str(tmp_path / "etcd")}
    trusting = invoke("verify", "EP-1", "-o", "json", env=etcd)
    assert (trusting.code, orjson.loads(trusting.out)[0]["checkpointed"]) == (0, "1")
    mirror = ("--mirror", str(tmp_path / "mirror"))
    compared = invoke("verify", "EP-1", *mirror, "-o", "json", env=etcd)
    assert (compared.code, compared.problem["code"]) == (3, "STORE_ROLLED_BACK")


async def restore_and_write_on(tmp_path: Path) -> None:
    """A backup is put back, and the store passes the revision that it had before."""
    mirror, data, copy = tmp_path / "mirror", tmp_path / "etcd", tmp_path / "backup"
    async with running(tmp_path, mirror) as (sidecar, _):
        await register(sidecar, "EP-1")
    shutil.copytree(data, copy, symlinks=True)
    async with running(tmp_path, mirror) as (sidecar, store):
        await register(sidecar, "EP-2")
        cluster = {member.cluster_id for member in await store.status()}
        revision = (await store.snapshot([Key(keys.SCHEMA)])).revision
    shutil.rmtree(data)
    copy.rename(data)

    async with running(tmp_path, None) as (sidecar, store):
        assert {member.cluster_id for member in await store.status()} == cluster
        for n in range(3, 9):
            await sidecar.execute(registration(f"EP-{n}"))
        await register(sidecar, "EP-9")
        assert (await store.snapshot([Key(keys.SCHEMA)])).revision > revision
        assert (await verify(store, "EP-1", claims=await witnesses(store, "EP-1"))).checkpointed

    async with running(tmp_path, mirror) as (sidecar, store):
        refuses(sidecar)
        with pytest.raises(StoreRolledBack):
            sidecar.terms.write_path()
        with pytest.raises(StoreRolledBack, match="not the one in the mirror"):
            await witnesses(store, "EP-1", mirror)
    assert [checkpoint.seq for checkpoint, _ in mirrored(mirror)][-1] >= 2


def test_an_accepted_rollback_lets_the_mirrors_that_it_covers_go_on(tmp_path: Path) -> None:
    receipt = run(restore_and_accept(tmp_path))
    etcd = {"BPS_ETCD_ENDPOINTS": None, "BPS_ETCD_DATA_DIR": str(tmp_path / "etcd")}
    held = tmp_path / "receipt.json"
    held.write_bytes(orjson.dumps(receipt.model_dump(mode="json") | {"seq": str(receipt.seq)}))
    refuted = invoke("verify", receipt.plan, "--receipt", str(held), "-o", "json", env=etcd)
    assert (refuted.code, refuted.problem["code"]) == (3, "RECEIPT_REFUTED"), refuted.err
    assert "Rollback 1 was accepted by operator-1" in refuted.problem["detail"]
    assert "the disk was lost" in refuted.problem["detail"]

    # Another sidecar's mirror saw more than the one that the operator accepted for.
    ahead, key = tmp_path / "ahead", str(tmp_path / "signing-key.pem")
    run(still_refuses(tmp_path, ahead))
    accept = ("doctor", "--accept-rollback", "--reason", "that one too", "-o", "json")
    named = (*accept, "--mirror", str(ahead), "--signing-key-file", key)
    again = invoke(*named, env=etcd)
    assert (again.code, orjson.loads(again.out)["n"]) == (0, "2"), again.err
    run(goes_on(tmp_path, ahead))
    nothing_lost = invoke(*named, env=etcd)
    assert (nothing_lost.code, nothing_lost.problem["code"]) == (1, "WRONG_STATE")
    seen = invoke("doctor", "-o", "json", env=etcd)
    (row,) = [each for each in orjson.loads(seen.out) if each["check"] == "rollbacks"]
    assert row["detail"].startswith("Rollback 2 was accepted by operator")


async def restore_and_accept(tmp_path: Path) -> Receipt:
    """A backup is put back; the operator accepts at the sidecar; it goes on. A lost receipt."""
    mirror, data, copy = tmp_path / "mirror", tmp_path / "etcd", tmp_path / "backup"
    async with running(tmp_path, mirror) as (sidecar, _):
        await register(sidecar, "EP-1")
    shutil.copytree(data, copy, symlinks=True)
    async with running(tmp_path, mirror) as (sidecar, _):
        receipt = await register(sidecar, "EP-2")
    shutil.copytree(mirror, tmp_path / "same")
    async with running(tmp_path, mirror) as (sidecar, _):
        await register(sidecar, "EP-3")
    mirror.rename(tmp_path / "ahead")
    (tmp_path / "same").rename(mirror)
    shutil.copytree(mirror, tmp_path / "same")
    shutil.rmtree(data)
    copy.rename(data)

    async with running(tmp_path, mirror) as (sidecar, store):
        refuses(sidecar)
        known = [checkpoint.seq for checkpoint, _ in mirrored(mirror)]
        done = await accept_rollback(sidecar, "operator-1", "accept", "the disk was lost", None)
        (accepted, _) = (await accepted_rollbacks(store))[0]
        assert accepted == done.result
        assert (accepted.n, accepted.by) == (1, "operator-1")
        await writes(sidecar)
        (kept,) = archives(mirror)
        assert [int(seq) for seq in kept] == [each.seq for each in accepted.lost]
        assert int(kept[-1]) == known[-1]
        await register(sidecar, "EP-4")
        chain = [checkpoint.seq for checkpoint, _ in mirrored(mirror)]
        assert chain == list(range(chain[0], chain[-1] + 1))
        repeated = await accept_rollback(sidecar, "operator-1", "accept", "the disk was lost", None)
        assert (repeated.how, repeated.result) == ("repeated", accepted)
        assert await witnesses(store, "EP-4", mirror)

    # Another sidecar, whose mirror ends with the same checkpoint, needs no operator.
    await goes_on(tmp_path, tmp_path / "same")
    return receipt


async def still_refuses(root: Path, mirror: Path) -> None:
    async with running(root, mirror) as (sidecar, _):
        refuses(sidecar)
    assert not archives(mirror)


async def goes_on(root: Path, mirror: Path) -> None:
    async with running(root, mirror) as (sidecar, _):
        await writes(sidecar)
    assert archives(mirror)


def test_an_acceptance_by_a_key_that_the_mirror_does_not_trust_is_none(tmp_path: Path) -> None:
    run(forge(tmp_path))


async def forge(tmp_path: Path) -> None:
    """Who can write to etcd puts a backup back, and an acceptance signed by a key of his own."""
    mirror, data, copy = tmp_path / "mirror", tmp_path / "etcd", tmp_path / "backup"
    async with running(tmp_path, mirror) as (sidecar, _):
        await register(sidecar, "EP-1")
    shutil.copytree(data, copy, symlinks=True)
    async with running(tmp_path, mirror) as (sidecar, _):
        await register(sidecar, "EP-2")
        lost = shown(sidecar.mirror.mirror.recent())
    shutil.rmtree(data)
    copy.rename(data)
    forger = read_or_make_private_key(tmp_path / "forger.pem")
    async with open_store(Settings(data_dir=data)) as store, lead(store, Settings()) as path:
        await path.execute(AcceptRollback("operator", "forged", "why not", lost, forger))
    async with running(tmp_path, mirror) as (sidecar, _):
        refuses(sidecar)
        with pytest.raises(StoreRolledBack, match="does not trust"):
            sidecar.terms.write_path()
