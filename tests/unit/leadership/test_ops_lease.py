"""Operation records hang on leases that outlive them by a day, shared by all leaders."""

from __future__ import annotations

import asyncio

import pytest

from bps.core import keys
from bps.core.errors import (
    FencedOut,
    LeaseNotFound,
    Unavailable,
)
from bps.core.ports import Lease
from bps.core.txn import Delete, Txn
from bps.leadership.election import (
    OPS_LEASE_ROTATION_MS,
    OPS_LEASE_TTL_S,
    OpsLease,
)
from tests.asynchronous import asynchronous
from tests.doubles import Fault, FaultyStore, RecordingStore
from tests.doubles.forwarding_store import ForwardingStore
from tests.unit.leadership.world import World, leading


async def stored_ops_lease(world: World) -> OpsLease:
    kvs = (await world.memory.page(keys.OPS_LEASE, b"\0", limit=1)).kvs
    return OpsLease.decode(kvs[0].value)


@asynchronous
async def test_the_ops_lease_is_shared_and_costs_nothing_within_the_hour() -> None:
    world = World()
    recorded = RecordingStore(world.memory)
    first = world.candidate("one", recorded)
    await first.campaign(0)
    lease_id = await first.ops_lease_id()
    recorded.reset()
    assert {await first.ops_lease_id() for _ in range(10)} == {lease_id}
    assert recorded.calls == []
    await first.resign()
    async with leading(world, "two") as second:
        assert await second.ops_lease_id() == lease_id
    assert int((await stored_ops_lease(world)).lease_id) == lease_id


@asynchronous
async def test_the_ops_lease_is_rotated_each_hour_and_outlives_its_records_by_a_day() -> None:
    world = World()
    async with leading(world) as leadership:
        leases = []
        for _ in range(3):
            leases.append(await leadership.ops_lease_id())
            await world.clock.advance(OPS_LEASE_ROTATION_MS / 1_000)
        assert len(set(leases)) == 3
        assert OPS_LEASE_TTL_S * 1_000 - OPS_LEASE_ROTATION_MS >= 24 * 3_600_000
        await world.memory.lease_keepalive(leases[0])


@asynchronous
async def test_an_ops_lease_that_is_gone_is_replaced_on_request() -> None:
    world = World()
    async with leading(world) as leadership:
        lease_id = await leadership.ops_lease_id()
        await world.memory.lease_revoke(lease_id)
        renewed = await leadership.ops_lease_id(renew=True)
        assert renewed != lease_id
        await world.memory.lease_keepalive(renewed)
        assert int((await stored_ops_lease(world)).lease_id) == renewed


@asynchronous
async def test_a_wall_clock_far_ahead_or_behind_gets_a_lease_of_its_own_hour() -> None:
    world = World()
    async with leading(world) as leadership:
        first = await leadership.ops_lease_id()
        world.clock.set_wall(-5 * OPS_LEASE_ROTATION_MS)
        assert await leadership.ops_lease_id() != first


@asynchronous
async def test_a_former_leader_cannot_rotate_the_ops_lease() -> None:
    world = World()
    async with leading(world) as leadership:
        lease_id = await leadership.ops_lease_id()
        await world.memory.commit(Txn((), (Delete(keys.LEADER_HOLDER),)))
        with pytest.raises(FencedOut):
            await leadership.ops_lease_id(renew=True)
        assert int((await stored_ops_lease(world)).lease_id) == lease_id


@asynchronous
async def test_many_at_once_agree_on_one_ops_lease() -> None:
    world = World()
    async with leading(world) as leadership:
        leases = await asyncio.gather(*(leadership.ops_lease_id() for _ in range(16)))
        assert set(leases) == {int((await stored_ops_lease(world)).lease_id)}


@pytest.mark.parametrize("fault", [Fault.LOSE_REPLY, Fault.LOSE_REQUEST, Fault.UNAVAILABLE])
@asynchronous
async def test_an_ops_lease_without_an_answer_is_unavailable_and_then_had(fault: Fault) -> None:
    world = World()
    faulty = FaultyStore(world.memory)
    leadership = world.candidate(store=faulty)
    await leadership.campaign(0)
    faulty.script.extend((Fault.NONE, fault))
    with pytest.raises(Unavailable):
        await leadership.ops_lease_id()
    lease_id = await leadership.ops_lease_id()
    await world.memory.lease_keepalive(lease_id)
    await leadership.resign()


@asynchronous
async def test_a_granted_lease_that_is_gone_before_the_election_is_asked_for_again() -> None:
    class Forgetful(ForwardingStore):
        grants = 0

        async def lease_grant(self, ttl_s: int) -> Lease:
            lease = await super().lease_grant(ttl_s)
            self.grants += 1
            if self.grants == 1:
                await self.inner.lease_revoke(lease.lease_id)
            return lease

    world = World()
    store = Forgetful(world.memory)
    leadership = world.candidate(store=store)
    await leadership.campaign(0)
    assert store.grants == 2
    await leadership.resign()
    with pytest.raises(LeaseNotFound):
        await world.memory.lease_keepalive(1)
