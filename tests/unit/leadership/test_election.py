"""One leader at a time, judged by the store's key and by the own clock, never resumed (R12)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from bps.core.errors import (
    LeaseLost,
    NotLeader,
    OutcomeUnknown,
    Unavailable,
)
from bps.core.txn import Committed, Conflict, Put, Txn
from bps.setup.initialise import Initialise
from bps.writepath.transact import WritePath
from tests.asynchronous import asynchronous
from tests.doubles import WHO, Fault, FaultyStore, RecordingStore
from tests.doubles.forwarding_store import ForwardingStore
from tests.unit.leadership.world import TTL_S, VALID_S, World, leading, write


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
