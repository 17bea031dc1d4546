"""Six schedules of faults that can be caused on any cluster; `make fault` has the rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cluster import EtcdCluster
from tests.fault.failpoints import ANYWHERE, FAULTS
from tests.fault.failpoints.base import Fault, Part
from tests.fault.scene import Scene, scene
from tests.fault.schedule import LEAST_FAULTS, Run, draw

SEEDS = (1, 2, 3, 4, 5, 6)
SIDECARS = 2


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all schedules: the proxies live in it."""
    with asyncio.Runner() as found:
        yield found


@pytest.fixture(scope="module")
def on(
    cluster: EtcdCluster, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """Sidecars on the cluster of this session; all faults are healed and all keys deleted after."""
    cluster.heal()
    cluster.wipe()
    stack = AsyncExitStack()
    directory = tmp_path_factory.mktemp("fault")
    entering = stack.enter_async_context(
        scene(cluster, directory, random.Random(1), sidecars=SIDECARS)
    )
    yield runner.run(entering)
    runner.run(stack.aclose())
    cluster.heal()
    cluster.wipe()


@pytest.mark.cluster
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost(seed: int, on: Scene, runner: asyncio.Runner, tmp_path: Path) -> None:
    run = Run(on, draw(seed, ANYWHERE), tmp_path / "history.jsonl")
    row = runner.run(run.perform())
    assert row.passed, (row, run.violations)
    assert row.promotions > 0
    assert row.took_effect


def test_a_seed_draws_the_same_schedule_each_time() -> None:
    assert draw(7, FAULTS) == draw(7, FAULTS)
    assert len({draw(seed, FAULTS) for seed in range(20)}) == 20


@pytest.mark.parametrize("faults", [FAULTS, ANYWHERE])
def test_twenty_schedules_draw_every_fault(faults: tuple[type[Fault], ...]) -> None:
    drawn = [draw(seed, faults) for seed in range(1, 21)]
    assert {each.fault for schedule in drawn for each in schedule.planned} == set(faults)
    for schedule in drawn:
        assert len(schedule.planned) >= LEAST_FAULTS
        assert len({each.fault for each in schedule.planned}) == len(schedule.planned)


def test_faults_of_one_part_follow_each_other() -> None:
    overlaps = 0
    for seed in range(50):
        planned = draw(seed, FAULTS).planned
        for part in Part:
            same = [each for each in planned if each.fault.part is part]
            for before, after in pairwise(same):
                assert after.starts_s > before.ends_s
        for before, after in pairwise(planned):
            overlaps += after.starts_s < before.ends_s
    assert overlaps > 0


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
