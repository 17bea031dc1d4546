"""How short a leader's lease may be on the network that keeps it alive."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from bps.core import keys
from bps.core.errors import ConfigError, NoSpace
from bps.core.ports import Clock, Key, Store

MIN_TTL_S: Final = 3
"""A keepalive each third of it has to survive one lost packet, which TCP sends again after 1 s."""
ROUND_TRIPS: Final = 10
"""So many of the slowest (p99) have to fit into a TTL."""
_SAMPLES: Final = 20
_ATTEMPTS: Final = 3
"""One stall is no slow network."""


async def check_lease_ttl(store: Store, clock: Clock, ttl_s: int) -> None:
    """Refuse a lease that the network to the store cannot keep alive.

    Cost: a grant, a revocation and 20 reads; up to 60 reads where some were slow.

    Raises:
        ConfigError: see `check_ttl_for`.
        Unavailable: the store does not answer.
    """
    granted_s = await _granted_s(store, ttl_s)
    trips_s = await round_trips(store, clock)
    for _ in range(_ATTEMPTS - 1):
        if max(trips_s) * ROUND_TRIPS <= granted_s:
            break
        trips_s = await round_trips(store, clock)
    check_ttl_for(granted_s, trips_s)


async def _granted_s(store: Store, ttl_s: int) -> int:
    """The TTL that the store makes of it: etcd raises those below its own minimum."""
    try:
        lease = await store.lease_grant(ttl_s)
    except NoSpace:
        # A full etcd grants none; the service starts read-only.
        return ttl_s
    await store.lease_revoke(lease.lease_id)
    return lease.ttl_s


async def round_trips(store: Store, clock: Clock) -> list[float]:
    """Seconds of 20 linearizable reads, one after the other; of so few the slowest is the p99.

    Raises Unavailable.
    """
    found = []
    for _ in range(_SAMPLES):
        sent_s = clock.monotonic_s()
        await store.snapshot([Key(keys.SCHEMA)])
        found.append(clock.monotonic_s() - sent_s)
    return found


def check_ttl_for(granted_s: int, trips_s: Sequence[float]) -> None:
    """Judge the TTL that the store granted, which may be longer than what was asked for.

    Raises:
        ConfigError: it is under 3 s, or under 10 times the slowest round trip. facts: lease_ttl_s,
            needed_s.
    """
    slowest_s = max(trips_s)
    needed_s = max(MIN_TTL_S, ceil(slowest_s * ROUND_TRIPS))
    if granted_s >= needed_s:
        return
    why = f"a round trip to etcd takes up to {slowest_s * 1_000:.0f} ms"
    msg = f"A lease of {granted_s} s is too short to keep the leadership: {why}."
    raise ConfigError(msg, lease_ttl_s=granted_s, needed_s=needed_s).advising(
        f"Set [sidecar] lease_ttl_s to {needed_s} or more, or run nearer to etcd."
    )
