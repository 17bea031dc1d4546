"""A lease that the network cannot keep alive is refused before anybody leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import pytest

from bps.core.errors import ConfigError, NoSpace
from bps.core.ports import Lease, Read, Snapshot
from bps.store.lease_bounds import check_lease_ttl, check_ttl_for
from bps.store.memory import MemoryStore
from tests.asynchronous import run
from tests.doubles import ManualClock


class SlowStore(MemoryStore):
    """Its reads take time of the clock; it grants what it is told to."""

    def __init__(self, clock: ManualClock, trips_s: Iterator[float], granted_s: int = 0) -> None:
        super().__init__(clock)
        self._moved, self._trips_s, self._granted_s = clock, trips_s, granted_s

    async def snapshot(
        self, reads: Sequence[Read], *, serializable: bool = False, at_least: int = 0
    ) -> Snapshot:
        self._moved.move(next(self._trips_s))
        return await super().snapshot(reads, serializable=serializable, at_least=at_least)

    async def lease_grant(self, ttl_s: int) -> Lease:
        return await super().lease_grant(max(ttl_s, self._granted_s))


def check(trips_s: Iterator[float], ttl_s: int = 5, granted_s: int = 0) -> None:
    clock = ManualClock(jumps=True)
    run(check_lease_ttl(SlowStore(clock, trips_s, granted_s), clock, ttl_s))


@pytest.mark.parametrize(("trip_s", "ttl_s"), [(0.001, 3), (0.25, 3), (0.5, 5)])
def test_a_lease_of_ten_round_trips_is_taken(trip_s: float, ttl_s: int) -> None:
    check(repeat(trip_s), ttl_s)


def test_a_lease_that_is_too_short_is_refused_with_what_to_set() -> None:
    with pytest.raises(ConfigError, match="takes up to 625 ms") as refused:
        check(repeat(0.625))
    assert refused.value.facts == {"lease_ttl_s": 5, "needed_s": 7}
    assert "lease_ttl_s to 7" in (refused.value.next_action or "")


def test_one_stall_is_no_slow_network() -> None:
    check(chain([4.0], repeat(0.001)))


def test_what_was_granted_counts_and_not_what_was_asked_for() -> None:
    check(repeat(0.625), ttl_s=5, granted_s=7)


def test_under_three_seconds_is_refused_on_any_network() -> None:
    with pytest.raises(ConfigError, match="A lease of 2 s"):
        check_ttl_for(2, [0.001])


def test_a_full_store_grants_no_lease_and_is_no_reason_not_to_start() -> None:
    class Full(SlowStore):
        async def lease_grant(self, ttl_s: int) -> Lease:
            raise NoSpace(f"No lease of {ttl_s} s is granted.")

    clock = ManualClock(jumps=True)
    run(check_lease_ttl(Full(clock, repeat(0.001)), clock, 5))
