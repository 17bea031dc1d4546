"""What a sidecar shows of itself when it is asked for its metrics."""

from __future__ import annotations

from pathlib import Path

from bps.clock import SystemClock
from bps.keyring.private_key import read_or_make_private_key
from bps.sidecar.sidecar import Sidecar, SidecarSettings
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous, eventually


def shown(sidecar: Sidecar, name: str, **labels: str) -> float | None:
    """One sample of the page."""
    return sidecar.metrics.registry.get_sample_value(name, labels)


@asynchronous
async def test_one_of_two_sidecars_leads_and_the_mode_is_one_of_all() -> None:
    clock = SystemClock()
    store = MemoryStore(clock)
    async with Sidecar(store, clock, SidecarSettings("first")) as first:
        await first.ready()
        settings = SidecarSettings("second", campaign_s=0.1)
        async with Sidecar(store, clock, settings) as second:
            await second.ready()
            assert [shown(each, "bps_leader") for each in (first, second)] == [1, 0]
            assert [shown(each, "bps_terms_total") for each in (first, second)] == [1, 0]
            for sidecar, mode in ((first, "READ_WRITE"), (second, "READ_ONLY")):
                modes = ("STARTING", "RECOVERING", "READ_WRITE", "READ_ONLY")
                values = {each: shown(sidecar, "bps_mode", mode=each) for each in modes}
                assert values.pop(mode) == 1
                assert set(values.values()) <= {0}
            assert shown(second, "bps_feed_warm") == 1


@asynchronous
async def test_checkpoints_are_shown_once_there_is_one(tmp_path: Path) -> None:
    clock = SystemClock()
    settings = SidecarSettings(
        "signs",
        signer=read_or_make_private_key(tmp_path / "key"),
        mirror_dir=tmp_path / "mirror",
    )
    async with Sidecar(MemoryStore(clock), clock, settings) as sidecar:
        assert shown(sidecar, "bps_checkpoint_last_seq") is None
        assert shown(sidecar, "bps_checkpoint_mirror_ok") == 1

        async def seen() -> bool:
            return (shown(sidecar, "bps_checkpoint_last_seq") or 0) >= 1

        await eventually(seen, "a checkpoint is shown")
        assert 0 <= (shown(sidecar, "bps_checkpoint_age_seconds") or 0) < 60
    bare = Sidecar(MemoryStore(clock), clock, SidecarSettings("bare"))
    assert shown(bare, "bps_checkpoint_mirror_ok") is None
