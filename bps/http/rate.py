"""Token buckets: how often a principal, or an address without credentials, may ask."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from dataclasses import dataclass

from bps.core.errors import RateLimited
from bps.core.ports import Clock
from bps.http.limits import Limits

MAX_BUCKETS = 10_000


@dataclass(slots=True)
class Bucket:
    """Fills with `per_s` tokens a second up to `burst`; each request takes one. Pure."""

    per_s: float
    burst: float
    tokens: float
    since_s: float

    def take(self, now_s: float) -> float:
        """0 where a token was there and is taken, else the seconds until there is one."""
        gained = max(now_s - self.since_s, 0.0) * self.per_s
        self.tokens = min(self.tokens + gained, self.burst)
        self.since_s = max(now_s, self.since_s)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_s


class Buckets:
    """One bucket a name, at most 10,000; the one used longest ago is forgotten first."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, now_s: float) -> float:
        """As `Bucket.take`. Cost: about 1 us."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(self._per_s, self._burst, self._burst, now_s)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        return bucket.take(now_s)

    def give_back(self, name: str) -> None:
        """Undo one `take` that was granted."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.tokens = min(bucket.tokens + 1, self._burst)


class RateLimits:
    """The rates of one listener; the guard asks after it knows who asks."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._principals = Buckets(limits.requests_per_s, limits.burst)
        per_s = limits.unauthenticated_per_s
        self._addresses = Buckets(per_s, max(2 * per_s, 1))

    def admitted(self, principal: str) -> None:
        """Count a request of a known principal.

        Raises:
            RateLimited: it sends more than it may; facts: retry_after_s.
        """
        wait_s = self._principals.take(principal, self._clock.monotonic_s())
        if wait_s:
            raise _limited(f"{principal} sends more requests than it may.", wait_s)

    def refused(self, address: str) -> None:
        """Count a request without valid credentials.

        Raises:
            RateLimited: the address sends more of them than it may; facts: retry_after_s.
        """
        wait_s = self._addresses.take(network_of(address), self._clock.monotonic_s())
        if wait_s:
            raise _limited("Too many requests without valid credentials.", wait_s)

    def forgiven(self, address: str) -> None:
        """Take one `refused` back: its request was none of those that are counted."""
        self._addresses.give_back(network_of(address))


def network_of(address: str) -> str:
    """What one client holds: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.version == 4:  # noqa: PLR2004 - the name says it
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _limited(message: str, wait_s: float) -> RateLimited:
    return RateLimited(message, retry_after_s=max(math.ceil(wait_s), 1))
