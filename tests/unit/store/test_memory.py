"""What only the model has: its key index and the clock of its leases."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from bps.core.ports import Key
from bps.core.txn import Put, Txn
from bps.store.memory import MemoryStore
from bps.store.memory.sorted_keys import SortedKeys
from tests.asynchronous import asynchronous
from tests.conformance.subjects import FakeClock


@given(st.integers(0, 2**32), st.integers(0, 6_000), st.none() | st.integers(0, 6_000))
def test_sorted_keys_are_a_sorted_set(seed: int, start: int, end: int | None) -> None:
    order = random.Random(seed)
    keys, expected = SortedKeys(), set[int]()
    for number in order.sample(range(6_000), 3_500):
        keys.add(b"%04d" % number)
        expected.add(number)
    for number in order.sample(sorted(expected), order.randrange(3_500)):
        keys.discard(b"%04d" % number)
        expected.discard(number)
    low, high = b"%04d" % start, None if end is None else b"%04d" % end
    wanted = [b"%04d" % n for n in sorted(expected) if start <= n and (end is None or n < end)]
    assert list(keys.ascending(low, high)) == wanted
    assert list(keys.descending(low, high)) == wanted[::-1]


def test_many_keys_stay_cheap() -> None:
    keys = SortedKeys()
    numbers = list(range(200_000))
    random.Random(1).shuffle(numbers)
    started = time.process_time()
    for number in numbers:
        keys.add(b"%08d" % number)
    assert next(keys.ascending(b"00100000", None)) == b"00100000"
    assert next(keys.descending(b"", b"00100000")) == b"00099999"
    assert time.process_time() - started < 5.0


@asynchronous
async def test_leases_expire_by_the_injected_clock() -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    lease = await store.lease_grant(10)
    await store.commit(Txn((), (Put(b"a", b"", lease.lease_id),)))
    clock.now_s += 9.9
    assert (await store.snapshot([Key(b"a")])).answers[0]
    assert await store.lease_keepalive(lease.lease_id) == 10
    clock.now_s += 9.9
    assert (await store.snapshot([Key(b"a")])).answers[0]
    clock.now_s += 0.1
    assert (await store.snapshot([Key(b"a")])).answers == ((),)
    assert (await store.snapshot([Key(b"a")])).revision == 3
