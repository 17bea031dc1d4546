"""The mirror: durable, one writer, repaired after a crash, and particular about whom it trusts."""

from __future__ import annotations

import logging
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bps.checkpoints.follow import catch_up
from bps.checkpoints.mirror import KEYS_NAME, Mirror
from bps.checkpoints.mirror_lines import LOG_NAME, mirrored
from bps.checkpoints.rollback import check_not_rolled_back
from bps.core import keys
from bps.core.errors import (
    BadSignature,
    ChainBroken,
    ConfigError,
    MalformedRecord,
    StoreRolledBack,
    Unavailable,
)
from bps.core.txn import Delete, Put
from tests.asynchronous import asynchronous
from tests.doubles.scene import PLAN
from tests.unit.checkpoints.trail import SIGNER, Trail
from tests.unit.keyring.people import key_of

SECOND = key_of(2)


@contextmanager
def opened(path: Path) -> Iterator[Mirror]:
    mirror = Mirror.open(path)
    try:
        yield mirror
    finally:
        mirror.close()


async def written(trail: Trail, count: int) -> None:
    """`count` checkpoints more."""
    for _ in range(count):
        await trail.scene.open(trail.scene.op())
        await trail.advance(PLAN)


@asynchronous
async def test_the_mirror_holds_the_bytes_that_etcd_holds(tmp_path: Path) -> None:
    trail = await Trail.make()
    await written(trail, 2)
    path = tmp_path / "state" / "mirror"
    with opened(path) as mirror:
        assert await catch_up(trail.scene.memory, mirror) == 0
        await written(trail, 120)
        assert await catch_up(trail.scene.memory, mirror) == 120
        assert await catch_up(trail.scene.memory, mirror) == 0
    stored = [data for _, data in await trail.chain()]
    assert [data for _, data in mirrored(path)] == stored[1:]
    with opened(path) as again:
        assert again.last is not None
        assert again.last.stored == stored[-1]
    assert (path / LOG_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b"{", b'{"heads":{}', b"\x00" * 4_096])
@asynchronous
async def test_a_torn_last_line_is_dropped_and_said(
    tmp_path: Path, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    trail = await Trail.make()
    await written(trail, 1)
    with opened(tmp_path) as mirror:
        await catch_up(trail.scene.memory, mirror)
    with (tmp_path / LOG_NAME).open("ab") as file:
        file.write(torn)
    await written(trail, 1)
    with caplog.at_level(logging.WARNING), opened(tmp_path) as mirror:
        assert await catch_up(trail.scene.memory, mirror) == 1
    assert f"{len(torn)} bytes of a torn line" in caplog.text
    assert [c.seq for c, _ in mirrored(tmp_path)] == [1, 2]


@asynchronous
async def test_a_mirror_has_one_writer(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(ConfigError, match="Another process"):
        Mirror.open(tmp_path)
    with opened(tmp_path):
        pass


@pytest.mark.parametrize("order", [(0, 1, 3, 4, 2), (0, 0, 1), (0, 2)])
@asynchronous
async def test_lines_that_were_moved_are_noticed_at_the_start(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    trail = await Trail.make()
    mirror = Mirror.open(tmp_path)
    for n in range(5):
        await trail.scene.open(f"T{n}")
        await trail.advance(PLAN)
        await catch_up(trail.scene.memory, mirror)
    mirror.close()
    lines = (tmp_path / LOG_NAME).read_bytes().splitlines(keepends=True)
    (tmp_path / LOG_NAME).write_bytes(b"".join(lines[n] for n in order))
    with pytest.raises(ChainBroken, match="no chain at checkpoint"):
        Mirror.open(tmp_path)


def test_a_mirror_of_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).write_bytes(b"not a checkpoint\n")
    with pytest.raises(MalformedRecord, match="last line"):
        Mirror.open(tmp_path)
    (tmp_path / LOG_NAME).unlink()
    with opened(tmp_path):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError):
        Mirror.open(tmp_path / "file")


@asynchronous
async def test_a_new_signer_is_trusted_only_if_a_mirrored_checkpoint_covers_it(
    tmp_path: Path,
) -> None:
    trail = await Trail.make()
    await written(trail, 1)
    with opened(tmp_path) as mirror:
        await catch_up(trail.scene.memory, mirror)
        await trail.register(SECOND)
        await trail.advance(covering=(SECOND,))
        trail.signer = SECOND
        await written(trail, 1)
        assert await catch_up(trail.scene.memory, mirror) == 2
        trail.signer = key_of(3)
        await trail.register(trail.signer)
        await written(trail, 1)
        with pytest.raises(BadSignature, match="no mirrored checkpoint covers") as refused:
            await catch_up(trail.scene.memory, mirror)
        assert refused.value.facts["key_id"] == key_of(3).public.key_id
        with (tmp_path / KEYS_NAME).open("a") as file:
            file.write(f"{key_of(3).public.key_id} {key_of(3).public.text}\n")
        assert await catch_up(trail.scene.memory, mirror) == 1


@asynchronous
async def test_a_key_that_a_checkpoint_shows_revoked_is_trusted_no_more(tmp_path: Path) -> None:
    trail = await Trail.make()
    await trail.register(SECOND)
    await written(trail, 1)
    with opened(tmp_path) as mirror:
        await catch_up(trail.scene.memory, mirror)
        assert mirror.trusted(SECOND.public.key_id)
        await trail.revoke(SECOND)
        await trail.advance(covering=(SECOND,))
        await catch_up(trail.scene.memory, mirror)
        assert mirror.trusted(SECOND.public.key_id) is None
        assert mirror.trusted(SIGNER.public.key_id)


@asynchronous
async def test_a_forged_next_checkpoint_is_not_mirrored(tmp_path: Path) -> None:
    trail = await Trail.make()
    await written(trail, 1)
    with opened(tmp_path) as mirror:
        await catch_up(trail.scene.memory, mirror)
        await written(trail, 1)
        good = (await trail.chain())[1][0]
        place = keys.checkpoint(2)
        await trail.tamper(Put(place, good.model_copy(update={"heads": {}}).encode()))
        with pytest.raises(BadSignature, match="does not verify"):
            await catch_up(trail.scene.memory, mirror)
        await trail.tamper(Put(place, good.model_copy(update={"prev": "1" * 64}).encode()))
        with pytest.raises(ChainBroken, match="does not follow"):
            await catch_up(trail.scene.memory, mirror)
        await trail.tamper(Delete(place), Put(keys.checkpoint(3), good.encode()))
        with pytest.raises(ChainBroken, match="2 is missing"):
            await catch_up(trail.scene.memory, mirror)
        assert mirror.last is not None
        assert mirror.last.seq == 1


@asynchronous
async def test_a_chain_that_went_back_or_changed_is_a_rollback(tmp_path: Path) -> None:
    trail = await Trail.make()
    await written(trail, 2)
    store = trail.scene.memory
    with opened(tmp_path) as mirror:
        await catch_up(store, mirror)
        await check_not_rolled_back(store, mirror.last)
        good = (await trail.chain())[1][0]
        other = good.model_copy(update={"nonce": "0" * 32})
        await trail.tamper(Put(keys.checkpoint(2), other.encode()))
        with pytest.raises(StoreRolledBack, match="not the one"):
            await catch_up(store, mirror)
        await trail.tamper(Delete(keys.checkpoint(2)))
        with pytest.raises(StoreRolledBack):
            await check_not_rolled_back(store, mirror.last)
        await trail.tamper(Delete(keys.CHECKPOINT_TIP), Delete(keys.checkpoint(1)))
        with pytest.raises(StoreRolledBack, match="ends at 0"):
            await check_not_rolled_back(store, mirror.last)


@asynchronous
async def test_a_full_disk_is_named_and_leaves_no_half_line(tmp_path: Path) -> None:
    trail = await Trail.make()
    await written(trail, 1)
    with opened(tmp_path) as mirror:
        await catch_up(trail.scene.memory, mirror)
        await written(trail, 1)
        size = os.stat(tmp_path / LOG_NAME).st_size  # noqa: PTH116
        with (
            _no_file_longer_than(size + 100),
            pytest.raises(Unavailable, match="read or written: File too large") as refused,
        ):
            await catch_up(trail.scene.memory, mirror)
        assert str(tmp_path) not in refused.value.message
        assert os.stat(tmp_path / LOG_NAME).st_size == size  # noqa: PTH116
        assert await catch_up(trail.scene.memory, mirror) == 1
    assert [c.seq for c, _ in mirrored(tmp_path)] == [1, 2]


@contextmanager
def _no_file_longer_than(size: int) -> Iterator[None]:
    """The kernel refuses to write beyond `size`, after a first part, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
