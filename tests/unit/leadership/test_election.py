"""One leader at a time, judged by the store's key and by the own clock, never resumed (R12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from bps.core import keys
from bps.core.errors import (
    FencedOut,
    LeaseLost,
    LeaseNotFound,
    NotLeader,
    OutcomeUnknown,
    Unavailable,
)
from bps.core.ports import Lease, Store
from bps.core.txn import Committed, Conflict, Delete, Put, Txn
from bps.leadership.election import (
    OPS_LEASE_ROTATION_MS,
    OPS_LEASE_TTL_S,
    Holder,
    Leadership,
    OpsLease,
)
from bps.leadership.validity import SAFETY_MARGIN, LeaseValidity
from bps.policy.initialise import Initialise
from bps.store.memory import MemoryStore
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.doubles import WHO, Fault, FaultyStore, ManualClock, RecordingStore
from tests.doubles.forwarding_store import ForwardingStore

TTL_S = 10
VALID_S = TTL_S * (1 - SAFETY_MARGIN)


class SlowKeepalives(ForwardingStore):
    """Keepalives reach the store at once; their replies wait, or the store cannot be reached."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.hold: asyncio.Event | None = None
        self.failing = False
        self.sent = 0

    async def lease_keepalive(self, lease_id: int) -> int:
        self.sent += 1
        if self.failing:
            raise Unavailable("No answer to a keepalive.")
        ttl_s = await super().lease_keepalive(lease_id)
        if self.hold is not None:
            await self.hold.wait()
        return ttl_s


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.memory = MemoryStore(self.clock)
        self.store = SlowKeepalives(self.memory)

    def candidate(self, name: str = "one", store: Store | None = None) -> Leadership:
        return Leadership(store or self.store, self.clock, name, ttl_s=TTL_S)

    async def holder(self) -> str | None:
        kvs = (await self.memory.page(keys.LEADER_HOLDER, b"\0", limit=1)).kvs
        return Holder.decode(kvs[0].value).sidecar if kvs else None


@asynccontextmanager
async def leading(world: World, name: str = "one") -> AsyncIterator[Leadership]:
    async with world.candidate(name) as leadership:
        await leadership.campaign(0)
        yield leadership


async def write(store: Store, leadership: Leadership) -> Committed | Conflict:
    return await store.commit(Txn((leadership.fence().compare,), (Put(b"/written", b""),)))


@asynchronous
async def test_the_first_campaigner_leads_at_once() -> None:
    world = World()
    recorded = RecordingStore(world.memory)
    async with world.candidate(store=recorded) as leadership:
        await leadership.campaign(0)
        assert recorded.calls == ["lease_grant", "commit"]
        assert await world.holder() == "one"
        assert isinstance(await write(world.store, leadership), Committed)


@asynchronous
async def test_the_second_campaigner_is_told_who_leads() -> None:
    world = World()
    async with leading(world):
        with pytest.raises(NotLeader) as refusal:
            await world.candidate("two").campaign(0)
        assert refusal.value.facts == {"leader": "one"}


@asynchronous
async def test_the_second_campaigner_gives_up_at_its_deadline() -> None:
    world = World()
    async with leading(world):
        waiting = asyncio.create_task(world.candidate("two").campaign(30))
        await world.clock.advance(29)
        assert not waiting.done()
        await world.clock.advance(2)
        with pytest.raises(NotLeader):
            await waiting


@asynchronous
async def test_the_second_campaigner_wins_when_the_first_resigns() -> None:
    world = World()
    async with leading(world) as first, world.candidate("two") as second:
        waiting = asyncio.create_task(second.campaign(1_000))
        await world.clock.advance(60)
        assert not waiting.done()
        old = first.fence()
        await first.resign()
        await world.clock.advance(1)
        await waiting
        assert await world.holder() == "two"
        assert second.fence().create_revision > old.create_revision
        with pytest.raises(NotLeader):
            first.fence()


@asynchronous
async def test_the_second_campaigner_wins_when_the_lease_of_the_first_expires() -> None:
    world = World()
    async with leading(world) as first, world.candidate("two", world.memory) as second:
        old = first.fence()
        world.store.failing = True
        waiting = asyncio.create_task(second.campaign(1_000))
        await world.clock.advance(VALID_S - 1)
        assert first.fence() == old
        assert not waiting.done()
        await world.clock.advance(TTL_S)
        await waiting
        with pytest.raises(LeaseLost):
            first.fence()
        assert isinstance(
            await world.memory.commit(Txn((old.compare,), (Put(b"/late", b""),))), Conflict
        )


@pytest.mark.parametrize("waited_s", [0.0, 1.0, 3.2, 3.4, 5.0, 8.7, 8.9, 9.1, 10.5, 26.3])
@asynchronous
async def test_a_term_won_after_waiting_lasts(waited_s: float) -> None:
    world = World()
    first = world.candidate("one")
    await first.campaign(0)
    async with world.candidate("two") as second:
        waiting = asyncio.create_task(second.campaign(1_000))
        await world.clock.advance(waited_s)
        await first.resign()
        await world.clock.advance(0.5)
        await waiting
        for _ in range(60):
            await world.clock.advance(1)
            assert isinstance(await write(world.store, second), Committed)


@asynchronous
async def test_keepalives_keep_the_leadership() -> None:
    world = World()
    async with leading(world) as leadership:
        fence = leadership.fence()
        for _ in range(100):
            await world.clock.advance(1)
            assert leadership.fence() == fence
        assert 25 <= world.store.sent <= 35


@asynchronous
async def test_the_fence_refuses_before_the_store_gives_the_lease_up() -> None:
    world = World()
    async with leading(world) as leadership:
        world.clock.move(VALID_S - 0.01)
        leadership.fence()
        world.clock.move(0.02)
        with pytest.raises(LeaseLost):
            leadership.fence()
        assert await world.holder() == "one"


@asynchronous
async def test_a_frozen_process_finds_its_leadership_lost_though_the_lease_lives() -> None:
    world = World()
    async with leading(world) as leadership:
        # The keepalive reached the store; this process froze before it read the reply.
        world.store.hold = asyncio.Event()
        await world.clock.advance(TTL_S / 3)
        assert world.store.sent == 1
        world.clock.move(VALID_S - 2)
        assert await world.holder() == "one"
        with pytest.raises(LeaseLost):
            leadership.fence()
        world.store.hold.set()
        await world.clock.advance(0)
        with pytest.raises(LeaseLost):
            leadership.fence()
        assert await world.holder() is None, "what was lost is given up, so that others can lead"


@asynchronous
async def test_a_keepalive_answered_late_counts_from_when_it_was_sent() -> None:
    world = World()
    async with leading(world) as leadership:
        world.store.hold = asyncio.Event()
        await world.clock.advance(TTL_S / 3)
        sent_s = world.clock.monotonic_s()
        await world.clock.advance(5)
        world.store.hold.set()
        world.store.failing = True
        await world.clock.advance(0)
        await world.clock.advance(sent_s + VALID_S - 0.01 - world.clock.monotonic_s())
        leadership.fence()
        await world.clock.advance(0.02)
        with pytest.raises(LeaseLost):
            leadership.fence()


@asynchronous
async def test_a_lost_leadership_is_never_resumed() -> None:
    world = World()
    async with leading(world) as leadership:
        world.store.failing = True
        await world.clock.advance(VALID_S + 0.1)
        world.store.failing = False
        for _ in range(20):
            with pytest.raises(LeaseLost):
                leadership.fence()
            await world.clock.advance(1)
        with pytest.raises(ValueError, match="twice"):
            await leadership.campaign(0)
        async with leading(world, "anew") as anew:
            anew.fence()


@asynchronous
async def test_a_lease_that_the_store_dropped_ends_the_term_at_once() -> None:
    world = World()
    async with leading(world) as leadership:
        assert leadership._lease is not None
        await world.memory.lease_revoke(leadership._lease.lease_id)
        await world.clock.advance(TTL_S / 3 + 0.1)
        with pytest.raises(LeaseLost):
            leadership.fence()


@asynchronous
async def test_a_few_failed_keepalives_do_not_end_the_term() -> None:
    world = World()
    async with leading(world) as leadership:
        for _ in range(10):
            world.store.failing = True
            await world.clock.advance(VALID_S / 2)
            world.store.failing = False
            await world.clock.advance(1)
            leadership.fence()


@asynchronous
async def test_without_a_campaign_there_is_no_fence() -> None:
    with pytest.raises(NotLeader):
        World().candidate().fence()


@pytest.mark.parametrize("fault", [Fault.LOSE_REPLY, Fault.LOSE_REQUEST, Fault.UNAVAILABLE])
@asynchronous
async def test_an_election_without_an_answer_leaves_nothing_behind(fault: Fault) -> None:
    world = World()
    faulty = FaultyStore(world.memory)
    faulty.script.append(fault)
    leadership = world.candidate(store=faulty)
    with pytest.raises(Unavailable):
        await leadership.campaign(5)
    assert await world.holder() is None
    with pytest.raises(NotLeader):
        leadership.fence()
    await leadership.campaign(0)
    leadership.fence()
    await leadership.resign()


@asynchronous
async def test_resigning_does_not_raise_when_the_store_does_not_answer() -> None:
    class Deaf(ForwardingStore):
        async def lease_revoke(self, lease_id: int) -> None:
            raise OutcomeUnknown(f"No answer about lease {lease_id}.")

    world = World()
    leadership = world.candidate(store=Deaf(world.memory))
    await leadership.campaign(0)
    await leadership.resign()
    with pytest.raises(NotLeader):
        leadership.fence()


@asynchronous
async def test_the_fence_of_a_term_before_never_fits_again() -> None:
    world = World()
    fences = []
    for _ in range(4):
        async with leading(world) as leadership:
            fences.append(leadership.fence())
    assert all(a.create_revision < b.create_revision for a, b in pairwise(fences))
    async with leading(world) as leadership:
        for fence in fences:
            refused = await world.memory.commit(Txn((fence.compare,), (Put(b"/x", b""),)))
            assert isinstance(refused, Conflict)


@asynchronous
async def test_the_write_path_refuses_before_it_sends_when_the_lease_may_be_gone() -> None:
    world = World()
    recorded = RecordingStore(world.memory)
    async with leading(world) as leadership:
        world.clock.move(VALID_S)
        with pytest.raises(LeaseLost):
            await WritePath(recorded, leadership, world.clock).execute(Initialise(WHO, "i"))
        assert "commit" not in recorded.calls


# The lease of operation records.


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


# Validity.


def test_a_validity_counts_from_the_request_with_a_margin() -> None:
    validity = LeaseValidity(100.0, 10)
    assert validity.holds(108.99)
    assert not validity.holds(109.0)
    assert not LeaseValidity(100.0, 0).holds(100.0)


def test_an_expired_validity_is_not_renewed() -> None:
    validity = LeaseValidity(100.0, 10)
    assert validity.renewed(108.0, 10) == LeaseValidity(108.0, 10)
    assert validity.renewed(109.5, 10) == validity
