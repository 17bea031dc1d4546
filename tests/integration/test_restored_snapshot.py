"""A real etcd whose data directory is put back to an older copy, as a restored backup is (R13)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from bps.bootstrap import Settings, open_store
from bps.checkpoints.mirror import mirrored
from bps.checkpoints.proof import witnesses
from bps.clock import SystemClock
from bps.core import keys
from bps.core.errors import StoreRolledBack
from bps.core.ports import Key, Store
from bps.keyring.private_key import read_or_make_private_key
from bps.leadership.modes import Mode, Reason
from bps.plans.blob import pack
from bps.plans.register import RegisterPlan
from bps.replay.verify import verify
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from tests.asynchronous import eventually, run
from tests.unit.cli.invoke import invoke


@asynccontextmanager
async def running(root: Path, mirror: Path | None) -> AsyncIterator[tuple[Sidecar, Store]]:
    """A sidecar on an etcd process of its own, whose data are in `root`."""
    async with open_store(Settings(data_dir=root / "etcd")) as store:
        signer = read_or_make_private_key(root / "signing-key.pem")
        settings = SidecarSettings("test", signer=signer, mirror_dir=mirror)
        async with Sidecar(store, SystemClock(), settings) as sidecar:
            await sidecar.terms.decided()
            yield sidecar, store


async def register(sidecar: Sidecar, plan: str) -> None:
    """Register a plan and wait until a checkpoint names it and the mirror has that."""
    command = RegisterPlan("tester", f"register-{plan}", plan, "default", "title", pack(b"v1"))
    await sidecar.execute(command)

    async def done() -> bool:
        index = (await sidecar.store.snapshot([Key(keys.checkpointed(plan))])).answers[0]
        last = sidecar.mirror.mirror.last
        return bool(index) and last is not None and plan.encode() in last.stored

    await eventually(done, f"{plan} is checkpointed and mirrored")


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
            command = RegisterPlan(
                "tester", f"register-EP-{n}", f"EP-{n}", "default", "title", pack(b"v1")
            )
            await sidecar.execute(command)
        await register(sidecar, "EP-9")
        assert (await store.snapshot([Key(keys.SCHEMA)])).revision > revision
        assert (await verify(store, "EP-1", claims=await witnesses(store, "EP-1"))).checkpointed

    async with running(tmp_path, mirror) as (sidecar, store):
        assert (sidecar.terms.mode, sidecar.terms.reason) == (
            Mode.READ_ONLY,
            Reason.STORE_ROLLED_BACK,
        )
        with pytest.raises(StoreRolledBack):
            sidecar.terms.write_path()
        with pytest.raises(StoreRolledBack, match="not the one in the mirror"):
            await witnesses(store, "EP-1", mirror)
    assert [checkpoint.seq for checkpoint, _ in mirrored(mirror)][-1] >= 2
