"""Recorded scripts hold on the memory store and on a real cluster, with the same answers."""

from __future__ import annotations

import pytest

from bps.store.etcd import EtcdStore
from bps.store.memory import MemoryStore
from tests.asynchronous import asynchronous
from tests.cluster import EtcdCluster
from tests.doubles.manual_clock import ManualClock
from tests.unit.machine.lab import Lab
from tests.unit.machine.parts import Told
from tests.unit.machine.scripts import SCRIPTS, in_full, in_short, play
from tests.unit.machine.virtual_leases import VirtualLeases

BEGIN = 5
"""Operations of `Lab.begin` and of `FIX`."""


async def on_memory(name: str) -> list[Told]:
    clock = ManualClock()
    return await play(Lab(MemoryStore(clock), clock), SCRIPTS[name].steps)


@pytest.mark.parametrize("name", SCRIPTS)
@asynchronous
async def test_a_script_holds_on_the_memory_store(name: str) -> None:
    told = await on_memory(name)
    assert [in_short(each) for each in told[BEGIN:]] == SCRIPTS[name].told


@pytest.mark.cluster
@pytest.mark.parametrize("name", SCRIPTS)
@asynchronous
async def test_a_script_has_the_same_outcomes_on_etcd(
    fresh_cluster: EtcdCluster, name: str
) -> None:
    clock = ManualClock()
    async with EtcdStore(fresh_cluster.endpoints) as etcd:
        told = await play(Lab(VirtualLeases(etcd, clock), clock), SCRIPTS[name].steps)
    assert [in_full(each) for each in told] == [in_full(each) for each in await on_memory(name)]
