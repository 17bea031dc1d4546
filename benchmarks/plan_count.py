"""Does one plan cost the same among 100,000 plans as among 100?

Two single-member etcd servers, one filled with each number of registered plans (their seven keys
with real bytes, a 10 KB blueprint's blob among them). A round promotes and reads equally many
plans on the one and then on the other; promotions are on cold plans, so that they read as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.blueprints import blueprint
from benchmarks.bulk_load import bulk_load
from benchmarks.cluster import client
from benchmarks.figures import Figure, median_ratio
from benchmarks.options import Options, say
from benchmarks.recording import RecordingStore
from benchmarks.writer import PRINCIPAL, Writer, succeeded_plan, writer
from bps.core import keys
from bps.core.ports import Key, Prefix
from bps.core.txn import Put
from bps.plans.blob import Blob, pack
from bps.plans.register import RegisterPlan
from bps.promotion.promote import Promote
from bps.store.embedded_etcd import EmbeddedEtcd

FEW, MANY = 100, 100_000
_FIRST_FILLER = 10_000_000
_FIRST_PROMOTED = 90_000_000
_LEAST_ROUNDS = 15
"""One round of 100 promotions varies by a sixth; with 5 the median still moved by a tenth."""
_BLOCK = 100


async def measure(options: Options) -> list[Figure]:
    """Ratios of 100,000 plans to 100: time, round trips, bytes."""
    text = blueprint(random.Random(options.seed), 10_000)
    blobs = (pack(text), pack(text.replace(b"version: 1", b"version: 2")))
    async with AsyncExitStack() as stack:
        sides: list[_Side] = []
        for plans in (FEW, MANY):
            etcd = await stack.enter_async_context(EmbeddedEtcd(temporary=True))
            store = await stack.enter_async_context(client([etcd.endpoint]))
            leader = await stack.enter_async_context(writer(store))
            sides.append(_Side(RecordingStore(store), leader, plans, blobs))
        few, many = sides
        for side in sides:
            await side.fill()
        for _ in range(_LEAST_ROUNDS):
            await few.round()
            await many.round()
        stored = (await many.store.status())[0].db_size_bytes
    same = few.promote_traffic == many.promote_traffic and few.read_traffic == many.read_traffic
    say(f"  promote: {many.promote_traffic}, read: {many.read_traffic} (trips, sent, read bytes)")
    return [
        Figure(
            "100,000 plans to 100: promote, time",
            median_ratio(many.promote_s, few.promote_s),
            at_most=1.25,
        ),
        Figure(
            "100,000 plans to 100: read, time", median_ratio(many.read_s, few.read_s), at_most=1.25
        ),
        Figure(
            "100,000 plans to 100: same round trips and bytes (1: yes)", float(same), at_least=1
        ),
        Figure("etcd's file per registered 10 KB plan", stored / MANY, "bytes"),
    ]


@dataclass(slots=True)
class _Side:
    store: RecordingStore
    leader: Writer
    plans: int
    blobs: tuple[Blob, Blob]
    promote_s: list[float] = field(default_factory=list)
    read_s: list[float] = field(default_factory=list)
    promote_traffic: tuple[int, int, int] = (0, 0, 0)
    read_traffic: tuple[int, int, int] = (0, 0, 0)
    promoted: int = _FIRST_PROMOTED

    async def fill(self) -> None:
        """Register one plan by the write path, and copy its keys to make the others."""
        started = perf_counter()
        first = f"EP-{_FIRST_FILLER}"
        command = RegisterPlan(PRINCIPAL, "first", first, "bench", "Checkout", self.blobs[0])
        await self.leader.path.execute(command)
        plan_keys = keys.PlanKeys(first)
        found = await self.store.snapshot([Key(plan_keys.record), Prefix(plan_keys.root)])
        pattern = [Put(kv.key, kv.value) for kvs in found.answers for kv in kvs]
        await bulk_load(self.store, self._copies(first.encode(), pattern))
        say(f"  {self.plans:,} plans filled in {perf_counter() - started:.0f} s")

    def _copies(self, first: bytes, pattern: list[Put]) -> Iterator[Put]:
        for number in range(_FIRST_FILLER + 1, _FIRST_FILLER + self.plans):
            plan = b"EP-%d" % number
            for put in pattern:
                yield Put(put.key.replace(first, plan), put.value.replace(first, plan))

    async def round(self) -> None:
        """Promote and then read a block of plans."""
        promotions: list[Promote] = []
        for _ in range(_BLOCK):
            self.promoted += 1
            plan = f"EP-{self.promoted}"
            promotions.append(await succeeded_plan(self.leader.path, plan, *self.blobs))
        cold = self.leader.cold(self.store)
        self.store.traffic.reset()
        started = perf_counter()
        for promote in promotions:
            await cold.execute(promote)
        self.promote_s.append(perf_counter() - started)
        self.promote_traffic = self.store.traffic.counted
        self.store.traffic.reset()
        started = perf_counter()
        for promote in promotions:
            await self.store.snapshot(promote.reads())
        self.read_s.append(perf_counter() - started)
        self.read_traffic = self.store.traffic.counted
