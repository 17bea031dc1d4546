"""Token buckets, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bps.core.errors import RateLimited
from bps.http.limits import Limits
from bps.http.rate import MAX_BUCKETS, Bucket, Buckets, RateLimits, network_of


class VirtualClock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def now_ms(self) -> int:
        return int(self.now_s * 1_000)

    def monotonic_s(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        self.now_s += delay_s


@given(
    per_s=st.floats(0.1, 1_000),
    burst=st.integers(1, 100),
    pauses_s=st.lists(st.floats(0, 10), max_size=60),
)
def test_never_more_than_the_burst_and_the_rate_since_then(
    per_s: float, burst: int, pauses_s: list[float]
) -> None:
    bucket = Bucket(per_s, burst, burst, 0.0)
    now_s, taken = 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        taken += bucket.take(now_s) == 0
    assert taken <= burst + per_s * now_s + 1e-6


@given(per_s=st.floats(0.1, 1_000), burst=st.integers(1, 20))
def test_who_waits_as_long_as_told_comes_in(per_s: float, burst: int) -> None:
    bucket = Bucket(per_s, burst, burst, 0.0)
    assert [bucket.take(0.0) for _ in range(burst)] == [0.0] * burst
    wait_s = bucket.take(0.0)
    assert wait_s > 0
    assert bucket.take(wait_s * 0.9) > 0
    assert bucket.take(wait_s * 1.001) == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(1, 1, 1, 100.0)
    assert bucket.take(100.0) == 0
    assert bucket.take(50.0) > 0
    assert bucket.take(100.5) > 0


def test_buckets_are_bounded() -> None:
    buckets = Buckets(1, 1)
    for number in range(MAX_BUCKETS + 100):
        buckets.take(str(number), 0.0)
    assert len(buckets) == MAX_BUCKETS


def test_a_principal_waits_as_long_as_retry_after_says_and_others_do_not() -> None:
    clock = VirtualClock()
    rates = RateLimits(clock, Limits(requests_per_s=0.5, burst=2))
    rates.admitted("one")
    rates.admitted("one")
    with pytest.raises(RateLimited) as refused:
        rates.admitted("one")
    rates.admitted("two")
    wait_s = refused.value.facts["retry_after_s"]
    assert wait_s == 2
    clock.now_s += 2
    rates.admitted("one")


def test_failed_credentials_are_counted_by_address() -> None:
    rates = RateLimits(VirtualClock(), Limits(unauthenticated_per_s=1))
    rates.refused("192.0.2.1")
    rates.refused("192.0.2.1")
    with pytest.raises(RateLimited):
        rates.refused("192.0.2.1")
    rates.refused("192.0.2.2")


def test_what_is_forgiven_counts_no_more_and_gives_nothing_beyond_the_burst() -> None:
    rates = RateLimits(VirtualClock(), Limits(unauthenticated_per_s=1))
    for _ in range(10):
        rates.refused("192.0.2.1")
        rates.forgiven("192.0.2.1")
    rates.forgiven("192.0.2.1")
    rates.forgiven("192.0.2.9")
    rates.refused("192.0.2.1")
    rates.refused("192.0.2.1")
    with pytest.raises(RateLimited):
        rates.refused("192.0.2.1")


def test_one_network_of_ipv6_is_one_client() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""
