"""What an ended term leaves in the store is cleared before the next one; a full store is named."""

from __future__ import annotations

import asyncio

import pytest

from bps.core import keys
from bps.core.errors import LeaseLost, LeaseNotFound, NoSpace, OutcomeUnknown, Unavailable
from bps.core.ports import Lease, Store
from bps.leadership.election import Leadership
from bps.leadership.left_leases import LeftLeases
from bps.leadership.modes import Reason, reason_of
from tests.asynchronous import asynchronous
from tests.doubles import Fault, FaultyStore
from tests.doubles.forwarding_store import ForwardingStore
from tests.unit.leadership.world import TTL_S, VALID_S, World


class Unreachable(ForwardingStore):
    """Keepalives and revocations get no answer while it is `away`; `deaf`: they wait for one."""

    away = False
    deaf = False

    async def _reach(self) -> None:
        if self.deaf:
            await asyncio.Event().wait()
        if self.away:
            raise OutcomeUnknown("No answer.")

    async def lease_revoke(self, lease_id: int) -> None:
        await self._reach()
        await super().lease_revoke(lease_id)

    async def lease_keepalive(self, lease_id: int) -> int:
        if self.away:
            raise Unavailable("No answer.")
        return await super().lease_keepalive(lease_id)


class Full(ForwardingStore):
    """Grants no leases, as etcd does under the alarm NOSPACE."""

    async def lease_grant(self, ttl_s: int) -> Lease:
        raise NoSpace(f"No lease of {ttl_s} s is granted: the quota is used up.")


def term(world: World, store: Store, left: LeftLeases, name: str = "one") -> Leadership:
    return Leadership(store, world.clock, name, ttl_s=TTL_S, left=left)


@asynchronous
async def test_a_lease_that_a_new_quorum_renewed_does_not_block_the_next_term() -> None:
    world, left = World(), LeftLeases()
    store = Unreachable(world.memory)
    first = term(world, store, left)
    await first.campaign(0)
    old = first.fence()
    store.away = True
    await world.clock.advance(VALID_S)
    with pytest.raises(LeaseLost):
        first.fence()
    await first.resign()
    assert len(left) == 1
    # An etcd that elects a leader gives each lease its whole time again.
    assert first._lease is not None
    await world.memory.lease_keepalive(first._lease.lease_id)
    store.away = False
    assert await world.holder() == "one"
    second = term(world, store, left)
    await second.campaign(0)
    assert len(left) == 0
    assert second.fence().create_revision > old.create_revision
    with pytest.raises(LeaseNotFound):
        await world.memory.lease_keepalive(first._lease.lease_id)
    await second.resign()


@asynchronous
async def test_without_an_answer_there_is_no_campaign_and_the_lease_stays_remembered() -> None:
    world, left = World(), LeftLeases()
    store = Unreachable(world.memory)
    first = term(world, store, left)
    await first.campaign(0)
    store.away = True
    await first.resign()
    with pytest.raises(OutcomeUnknown):
        await term(world, store, left).campaign(0)
    assert len(left) == 1


@asynchronous
async def test_a_store_that_never_answers_does_not_hold_the_end_of_a_term_up() -> None:
    world, left = World(), LeftLeases()
    store = Unreachable(world.memory)
    first = term(world, store, left)
    await first.campaign(0)
    store.deaf = True
    async with asyncio.timeout(3):
        await first.resign()
    assert len(left) == 1


@asynchronous
async def test_who_waits_for_a_resignation_can_be_cancelled() -> None:
    world = World()
    stuck = asyncio.Event()

    class Stubborn(ForwardingStore):
        """A keepalive that takes its time to be cancelled."""

        async def lease_keepalive(self, lease_id: int) -> int:
            try:
                return await super().lease_keepalive(lease_id)
            finally:
                await stuck.wait()

    leadership = world.candidate(store=Stubborn(world.memory))
    await leadership.campaign(0)
    await world.clock.advance(TTL_S / 3)
    resigning = asyncio.create_task(leadership.resign())
    await asyncio.sleep(0)
    resigning.cancel()
    stuck.set()
    with pytest.raises(asyncio.CancelledError):
        await resigning


@asynchronous
async def test_a_full_store_is_told_as_such() -> None:
    world = World()
    with pytest.raises(NoSpace) as refused:
        await world.candidate(store=Full(world.memory)).campaign(5)
    assert reason_of(refused.value) is Reason.NO_SPACE


@asynchronous
async def test_the_election_that_passes_the_quota_is_won_although_it_is_told_otherwise() -> None:
    world = World()
    faulty = FaultyStore(world.memory)
    faulty.script.append(Fault.LAST_SPACE)
    leadership = world.candidate(store=faulty)
    await leadership.campaign(0)
    assert [fault for _, fault in faulty.met] == [Fault.LAST_SPACE]
    stored = (await world.memory.page(keys.LEADER_HOLDER, b"\0", limit=1)).kvs[0]
    assert leadership.fence().create_revision == stored.create_revision
    await leadership.resign()


@asynchronous
async def test_the_election_that_a_full_store_refuses_is_not_won() -> None:
    world = World()
    faulty = FaultyStore(world.memory)
    faulty.script.append(Fault.NO_SPACE)
    with pytest.raises(NoSpace):
        await world.candidate(store=faulty).campaign(0)
    assert await world.holder() is None


@pytest.mark.parametrize(("fault", "had"), [(Fault.LAST_SPACE, True), (Fault.NO_SPACE, False)])
@asynchronous
async def test_the_lease_of_op_records_is_had_where_its_record_was_applied(
    fault: Fault, had: bool
) -> None:
    world = World()
    faulty = FaultyStore(world.memory)
    leadership = world.candidate(store=faulty)
    await leadership.campaign(0)
    faulty.script.extend((Fault.NONE, fault))
    if had:
        await world.memory.lease_keepalive(await leadership.ops_lease_id())
    else:
        with pytest.raises(NoSpace):
            await leadership.ops_lease_id()
    await leadership.resign()
