"""What no checkpoint covers yet, by reading every head: after a gap whose history is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bps.checkpoints.model import PlanCheckpoint
from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import IntegrityError
from bps.core.ports import Key, Store
from bps.plans.model import Head

_PAGE: Final = 500
_BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Stored heads by plan, and the SHA-256 of the records of the key registry by key id."""

    heads: dict[str, bytes]
    keys: dict[str, str]


async def uncovered(store: Store) -> Uncovered:
    """Every plan whose head is not the one last checkpointed, and all keys.

    Cost: one round trip per 500 plans, and one per 50. Memory: the heads that differ.
    """
    heads: dict[str, bytes] = {}
    start, end, more = keys.PLANS, keys.after_prefix(keys.PLANS), True
    while more:
        page = await store.page(start, end, limit=_PAGE, keys_only=True)
        plans = [kv.key[len(keys.PLANS) :].decode(errors="replace") for kv in page.kvs]
        for first in range(0, len(plans), _BATCH):
            heads.update(await _changed(store, plans[first : first + _BATCH]))
        more = page.more
        start = page.kvs[-1].key + b"\x00" if page.kvs else end
    stored = await store.page(keys.KEYS, keys.after_prefix(keys.KEYS), limit=_PAGE)
    return Uncovered(
        heads,
        {
            kv.key[len(keys.KEYS) :].decode(errors="replace"): sha256_hex(kv.value)
            for kv in stored.kvs
        },
    )


async def _changed(store: Store, plans: list[str]) -> dict[str, bytes]:
    wanted = [Key(key) for p in plans for key in (keys.PlanKeys(p).head, keys.checkpointed(p))]
    answers = (await store.snapshot(wanted)).answers
    changed: dict[str, bytes] = {}
    for plan, stored, index in zip(plans, answers[::2], answers[1::2], strict=True):
        if stored and not (index and _covers(index[0].value, stored[0].value)):
            changed[plan] = stored[0].value
    return changed


def _covers(index: bytes, stored: bytes) -> bool:
    try:
        last, head = PlanCheckpoint.decode(index), Head.decode(stored)
    except IntegrityError:
        # Whoever takes it up names it.
        return False
    return (last.seq, last.hash) == (head.seq, head.hash)
