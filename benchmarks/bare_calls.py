"""What a promotion sends, repeated without our write path: the baseline of `promotion`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.recording import RecordingStore
from benchmarks.writer import Writer, succeeded_plan
from bps.core import keys
from bps.core.ports import Key, Prefix, Read, Store
from bps.core.txn import Condition, Put, Txn, unchanged
from bps.plans.blob import Blob


@dataclass(frozen=True, slots=True)
class Pattern:
    """One real promotion of `plan` as it was sent, and the keys that the plan had before it."""

    plan: str
    reads: tuple[Read, ...]
    txn: Txn
    before: tuple[Put, ...]

    def _key(self, key: bytes, plan: str) -> bytes:
        """`key` as that of the copy `plan`, whose id is as long."""
        return key.replace(self.plan.encode(), plan.encode())

    def preparation(self, plan: str) -> Txn:
        """What makes the copy `plan` exist."""
        return Txn((), tuple(Put(self._key(put.key, plan), put.value) for put in self.before))

    def pair(self, plan: str, revision: int) -> tuple[list[Read], Txn]:
        """The reads and the transaction for the copy `plan`, made at `revision`."""
        head = keys.PlanKeys(plan).head
        reads: list[Read] = []
        for read in self.reads:
            if isinstance(read, Key):
                reads.append(Key(self._key(read.key, plan)))
            else:
                reads.append(replace(read, prefix=self._key(read.prefix, plan)))
        compares: list[Condition] = []
        for condition in self.txn.compares:
            key = self._key(condition.key, plan)
            compares.append(
                unchanged(key, revision) if key == head else replace(condition, key=key)
            )
        operations = tuple(replace(op, key=self._key(op.key, plan)) for op in self.txn.operations)
        return reads, Txn(tuple(compares), operations)


async def pattern_of(
    store: Store, leader: Writer, plan: str, canonical: Blob, fix: Blob
) -> Pattern:
    """Make one promotion on a cold plan and keep what it sent."""
    promote = await succeeded_plan(leader.path, plan, canonical, fix)
    plan_keys = keys.PlanKeys(plan)
    snapshot = await store.snapshot([Key(plan_keys.record), Prefix(plan_keys.root)])
    before = tuple(Put(kv.key, kv.value) for kvs in snapshot.answers for kv in kvs)
    recorder = RecordingStore(store)
    await leader.cold(recorder).execute(promote)
    return Pattern(plan, recorder.traffic.reads[0], recorder.traffic.txns[0], before)
