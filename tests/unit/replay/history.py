"""A plan's keys after a rich history, as a mapping that a test damages and loads into a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import orjson

from bps.core.chain import GENESIS
from bps.core.codec import sha256_hex
from bps.core.errors import MergeConflict
from bps.core.ids import ReviewId
from bps.core.keys import PlanKeys, last_number
from bps.core.txn import Put, Txn
from bps.plans.blob import unpack
from bps.plans.model import Head
from bps.plans.results import BranchResult, Receipt
from bps.promotion.complete import CompleteReview
from bps.replay.replay import Replayed, replay
from bps.replay.verify import Verified, verify
from bps.review.claim import ClaimReview
from bps.review.reject import RejectReview
from bps.review.resolve import Choice, ResolveReview
from bps.store.memory import MemoryStore
from tests.asynchronous import run
from tests.doubles import PLAN, WHO, ManualClock, Scene

KEYS = PlanKeys(PLAN)
Records = dict[bytes, bytes]
BLUEPRINT = b"name: checkout\ntasks:\n" + b"".join(b"  - id: T-%d\n" % i for i in range(40))


async def live(scene: Scene) -> None:
    """Every event type and every RR-plan state that this release reaches, in one plan's history."""
    first = await _step(scene, scene.open("T1", "F1"))
    second = await _step(scene, scene.open("T2", "F2"))
    await _step(scene, scene.open("T3", "F2"))
    await _step(scene, scene.submit(first, BLUEPRINT + b"a: 1\n"))
    await _step(scene, scene.submit(second, BLUEPRINT + b"b: 1\n"))
    await _step(scene, scene.promote(first))
    rebased = await _step(scene, scene.rebase(second))
    await _step(scene, scene.submit(rebased, BLUEPRINT + b"a: 1\nb: 1\n"))
    await _step(scene, scene.promote(rebased))
    await _step(scene, scene.open("T9", "F1", clock={"canonical": 1}))
    await _step(scene, scene.open("T9", "F1"))
    unchanged = await _step(scene, scene.open("T5", "F5"))
    await _step(scene, scene.submit(unchanged, BLUEPRINT + b"a: 1\nb: 1\n"))
    await _step(scene, scene.promote(unchanged))
    await _step(scene, scene.revert(1))
    parent = await _step(scene, scene.open("T7", "F7"))
    child = await _step(scene, scene.open("T8", "F8", parent=parent))
    await _step(scene, scene.open("T10", "F10", parent=child))
    await _step(scene, scene.fail(parent))
    waiting = await _step(scene, scene.open("T11", "F11"))
    await _step(scene, scene.submit(waiting, BLUEPRINT + b"c: 1\n"))
    await _reviews(scene)


async def _reviews(scene: Scene) -> None:
    """A merge, and reviews that are completed, rejected and superseded."""
    head = BLUEPRINT.replace(b"checkout", b"checkout-2")
    merged = await _step(scene, scene.open("M1", "M1"))
    await _step(scene, scene.submit(merged, head))
    await _step(scene, scene.promote())
    for number in range(1, 4):
        fighting = [await _fighting(scene, number, side) for side in (1, 2)]
        with suppress(MergeConflict):
            await _step(scene, scene.promote(*fighting))
        review = ReviewId(PLAN, number)
        acts: dict[int, list[Any]] = {
            1: [
                ClaimReview(WHO, "claim", review, hold=True),
                ResolveReview(WHO, "resolve", review, (Choice("/name", None, None, "decided"),)),
                CompleteReview(WHO, "complete", review, "both were right"),
            ],
            2: [RejectReview(WHO, "reject", review, "both were wrong")],
        }
        for act in acts.get(number, []):
            await _step(scene, scene.path.execute(act))
    for branch in fighting:
        await _step(scene, scene.fail(branch))
    last = await _step(scene, scene.open("M9", "M9"))
    await _step(scene, scene.submit(last, await _canonical(scene) + b"m: 9\n"))
    await _step(scene, scene.promote(last))
    await _step(scene, scene.open("M10", "M10"))


async def _canonical(scene: Scene) -> bytes:
    (*_, canonical) = await scene.versions()
    (blob,) = await scene.below(KEYS.blob(canonical.digest))
    return unpack(blob.value, canonical.digest)


async def _fighting(scene: Scene, number: int, side: int) -> BranchResult:
    """A fix of the one place that all of them change."""
    branch = await _step(scene, scene.open(f"R{number}.{side}", f"R{number}.{side}"))
    text = await _canonical(scene)
    name = text.partition(b"\n")[0]
    fix = text.replace(name, b"name: fix-%d-%d" % (number, side))
    return await _step(scene, scene.submit(branch, fix))


async def _step(scene: Scene, act: Any) -> BranchResult:
    scene.clock.move(1.5)
    result: BranchResult = await act
    return result


async def records_of(scene: Scene) -> Records:
    """All that is stored of the plan."""
    kvs = [*await scene.below(KEYS.record), *await scene.below(KEYS.root)]
    return {kv.key: kv.value for kv in kvs}


@cache
def _lived() -> Mapping[bytes, bytes]:
    async def record() -> Records:
        scene = await Scene.make(content=BLUEPRINT)
        await live(scene)
        return await records_of(scene)

    return run(record())


def lived() -> Records:
    """A copy of the records after `live`, to be damaged."""
    return dict(_lived())


async def loaded(records: Mapping[bytes, bytes]) -> MemoryStore:
    """A store that holds exactly `records`."""
    store = MemoryStore(ManualClock())
    items = [Put(key, value) for key, value in records.items()]
    for start in range(0, len(items), 100):
        await store.commit(Txn((), tuple(items[start : start + 100])))
    return store


def verified(records: Mapping[bytes, bytes], receipt: Receipt | None = None) -> Verified:
    """`verify` of the plan in a store that holds `records`."""

    async def act() -> Verified:
        return await verify(await loaded(records), PLAN, receipt)

    return run(act())


def replayed(records: Mapping[bytes, bytes]) -> Replayed:
    """`replay` of the plan in a store that holds `records`."""

    async def act() -> Replayed:
        return await replay(await loaded(records), PLAN)

    return run(act())


def under(records: Mapping[bytes, bytes], prefix: bytes) -> list[bytes]:
    """The keys below `prefix`, ascending."""
    return sorted(key for key in records if key.startswith(prefix))


def length(records: Mapping[bytes, bytes]) -> int:
    """The number of events."""
    return len(under(records, KEYS.events))


def flipped(value: bytes, position: int, mask: int) -> bytes:
    """`value` with one byte changed; `position` counts modulo its length."""
    changed = bytearray(value)
    changed[position % len(changed)] ^= mask
    return bytes(changed)


def forged(
    records: Records,
    index: int,
    *,
    envelope: Callable[[dict[str, Any]], None] | None = None,
    body: Callable[[dict[str, Any]], None] | None = None,
) -> Records:
    """Event `index` written otherwise, and the whole chain and the head made to fit again.

    So a forger with the right to write would do it; only what the events mean can tell.
    """
    if body is not None:
        fields = orjson.loads(records[KEYS.body(index)])
        body(fields)
        records[KEYS.body(index)] = _json(fields)
    prev = GENESIS
    for key in under(records, KEYS.events):
        fields = orjson.loads(records[key])
        seq = last_number(key)
        if seq == index and envelope is not None:
            envelope(fields)
        fields["prev"] = prev
        fields["body_digest"] = sha256_hex(records[KEYS.body(seq or 0)])
        records[key] = _json(fields)
        prev = sha256_hex(records[key])
        time_ms = fields["time_ms"]
    head = Head.decode(records[KEYS.head])
    records[KEYS.head] = _json({**orjson.loads(head.encode()), "hash": prev, "time_ms": time_ms})
    return records


def _json(fields: dict[str, Any]) -> bytes:
    """As stored, but also with numbers that canonical JSON refuses."""
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def index_of(records: Mapping[bytes, bytes], event_type: str) -> int:
    """The number of the first event of a type."""
    for key in under(records, KEYS.events):
        if orjson.loads(records[key])["type"] == event_type:
            return last_number(key) or 0
    raise AssertionError(event_type)
