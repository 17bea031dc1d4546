"""`sync` in trouble: hostile directories, kills, missing blobs, other syncs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bps.core.errors import (
    ConfigError,
    Contended,
    DigestMismatch,
    InvalidId,
    NotFound,
    UnsafePath,
)
from bps.core.keys import PlanKeys
from bps.core.txn import Delete, Txn
from bps.files import Directory
from bps.workspace.sync import sync
from tests.asynchronous import HANGS_S, asynchronous
from tests.checkout import ROOT
from tests.unit.workspace.killed_sync import scenario
from tests.unit.workspace.plan_under_work import FIX, PLAN, registered_plan


def _sync_and_be_killed(root: Path, fatal_rename: int) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "tests.unit.workspace.killed_sync", root, str(fatal_rename)],
        cwd=ROOT,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL


@asynchronous
async def test_an_unknown_plan_leaves_no_trace(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        with pytest.raises(NotFound):
            await sync(work.open_plan, work.root, "EP-7")
        for hostile in ("../EP-42", "EP-42/..", "ep-42", "EP-42\0", "EP-042", "EP-42 "):
            with pytest.raises(InvalidId):
                await sync(work.open_plan, work.root, hostile)
        assert not work.root.exists()


@pytest.mark.parametrize(
    "victim",
    ["", "/canonical_blueprint.yaml", "/canonical_blueprint.json", "/{rr}", "/{rr}/rr_plan.json"],
)
@pytest.mark.parametrize("dangling", [True, False])
@asynchronous
async def test_symbolic_links_lead_nowhere(tmp_path: Path, victim: str, *, dangling: bool) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        target = work.root / (PLAN + victim.format(rr=rr.rr_plan))
        outside = tmp_path / "outside"
        target.rename(outside)
        target.symlink_to(tmp_path / "nowhere" if dangling else outside)
        before = {p: p.is_file() and p.read_bytes() for p in outside.rglob("*")}
        with pytest.raises(UnsafePath):
            await work.sync()
        assert {p: p.is_file() and p.read_bytes() for p in outside.rglob("*")} == before
        assert not (tmp_path / "nowhere").exists()
        assert target.is_symlink()


@asynchronous
async def test_a_fifo_in_the_way_is_refused_at_once(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        work.directory.mkdir(parents=True)
        os.mkfifo(work.directory / "canonical_blueprint.yaml")
        async with asyncio.timeout(HANGS_S):
            with pytest.raises(UnsafePath, match="not a regular file"):
                await work.sync()


@asynchronous
async def test_leftovers_of_a_killed_sync_are_removed(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        whole = work.tree()
        for directory in (work.directory, work.fork(rr).parent):
            (directory / ".bps-0123456789abcdef.tmp").write_bytes(b"torn")
        await work.sync()
        assert work.tree() == whole


@pytest.mark.parametrize("fatal_rename", [1, 2, 3, 4])
@asynchronous
async def test_kill_9_during_a_sync(tmp_path: Path, fatal_rename: int) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        _sync_and_be_killed(work.root, fatal_rename)
        after_kill = work.tree()
        work.root.rename(tmp_path / "killed")
        await scenario(work)
        old = work.tree()
        await work.sync()
        new = work.tree()
        whole = {path: data for path, data in after_kill.items() if "/.bps-" not in path}
        assert len(after_kill) == len(whole) + 1
        assert sum(whole[path] == new[path] != old[path] for path in old) == fatal_rename - 1
        assert all(data in {old[path], new[path]} for path, data in whole.items())

        shutil.rmtree(work.root)
        (tmp_path / "killed").rename(work.root)
        assert (await work.sync()).conflicts == []
        assert work.tree() == new


@asynchronous
async def test_a_missing_blob_is_named_and_files_stay(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        await work.submit(rr, FIX)
        blobs = await work.store.page(
            PlanKeys(PLAN).blobs, PlanKeys(PLAN).blobs + b"\xff", limit=9, keys_only=True
        )
        await work.store.commit(Txn((), tuple(Delete(kv.key) for kv in blobs.kvs)))
        before = work.tree()
        work.fork(rr).unlink()
        with pytest.raises(DigestMismatch, match="not stored"):
            await work.sync()
        assert work.tree().items() <= before.items()


@asynchronous
async def test_two_syncs_take_turns(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        rr = await work.open("F1")
        await work.sync()
        with Directory.open_root(work.root) as root, root.enter(PLAN) as held:
            assert held.try_lock()
            waiting = asyncio.create_task(work.sync())
            await asyncio.sleep(0.2)
            assert not waiting.done()
            await work.submit(rr, FIX)
        assert (await waiting).conflicts == []
        assert work.fork(rr).read_bytes() == FIX


@asynchronous
async def test_a_lock_that_stays_taken_is_a_named_error(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "ws") as work:
        await work.sync()
        with Directory.open_root(work.root) as root, root.enter(PLAN) as held:
            assert held.try_lock()
            with pytest.raises(Contended, match="Another sync"):
                await sync(work.open_plan, work.root, PLAN, lock_deadline_s=0.1)


@asynchronous
async def test_a_root_that_cannot_be_made_is_a_named_error(tmp_path: Path) -> None:
    async with registered_plan(tmp_path / "no" / "ws") as work:
        with pytest.raises(ConfigError):
            await work.sync()
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(UnsafePath):
            await sync(work.open_plan, tmp_path / "file", PLAN)
