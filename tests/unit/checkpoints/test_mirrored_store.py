"""A mirror of one store is not held against another."""

from __future__ import annotations

from pathlib import Path

import pytest

from bps.checkpoints.mirrored_store import STORE_NAME, check_mirrored_store
from bps.clock import SystemClock
from bps.core.errors import ConfigError
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually
from tests.unit.keyring.people import key_of


async def serve(store: MemoryStore, mirror: Path) -> None:
    """Until a checkpoint is mirrored."""
    settings = SidecarSettings("one", signer=key_of(1), mirror_dir=mirror)
    async with Sidecar(store, SystemClock(), settings) as sidecar:

        async def mirrored() -> bool:
            return sidecar.mirror.mirror.last is not None

        await eventually(mirrored, "a checkpoint is mirrored")


@asynchronous
async def test_a_mirror_of_another_store_is_refused_with_both_ids(tmp_path: Path) -> None:
    ours, other = MemoryStore(SystemClock()), MemoryStore(SystemClock())
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    await serve(ours, mine)
    await serve(other, theirs)
    await check_mirrored_store(ours, mine)
    await check_mirrored_store(other, theirs)
    ids = [(path / STORE_NAME).read_text().strip() for path in (mine, theirs)]
    with pytest.raises(ConfigError, match="is of store") as refused:
        await check_mirrored_store(other, mine)
    assert [refused.value.facts["mirrored"], refused.value.facts["found"]] == ids
    await check_mirrored_store(ours, mine)


@asynchronous
async def test_a_store_that_lost_all_is_no_other_store(tmp_path: Path) -> None:
    ours = MemoryStore(SystemClock())
    await serve(ours, tmp_path)
    await check_mirrored_store(ours, tmp_path)
    noted = (tmp_path / STORE_NAME).read_text()
    # The sidecar itself says that this store was rolled back.
    await check_mirrored_store(MemoryStore(SystemClock()), tmp_path)
    assert (tmp_path / STORE_NAME).read_text() == noted
