"""Following the chain of checkpoints in etcd, and holding it against the mirror (R10, R13)."""

from __future__ import annotations

import asyncio
from typing import Final

from bps.checkpoints.mirror import Mirror
from bps.checkpoints.model import (
    Checkpoint,
    CheckpointTip,
    checkpoint_at,
    hash_of,
    signature_verifies,
)
from bps.checkpoints.proof import check_signature
from bps.checkpoints.rollback import agree
from bps.core import keys
from bps.core.codec import sha256_hex
from bps.core.errors import BadSignature, ChainBroken
from bps.core.ports import Key, Store
from bps.core.txn import KV, unchanged
from bps.keyring.model import Purpose
from bps.keyring.read import read_registry
from bps.keyring.registry import key_at

_PAGE: Final = 100


async def catch_up(store: Store, mirror: Mirror) -> int:
    """Mirror every checkpoint that is missing; how many they were. A round trip per 100, or two.

    An empty mirror begins with the newest one and trusts the keys that are registered for
    checkpoints then: trust on first use.

    Raises:
        StoreRolledBack: see `agree`.
        ChainBroken, BadSignature: the next checkpoint cannot be trusted; none from it on is kept.
        Unavailable: the mirror's disk refuses, or etcd does not answer.
    """
    mirror.witness = await agree(store, mirror)
    if mirror.last is None and not await _first(store, mirror):
        return 0
    count = 0
    while last := mirror.last:
        start, end = keys.checkpoint(last.seq + 1), keys.after_prefix(keys.CHECKPOINTS)
        page = await store.page(start, end, limit=_PAGE)
        for kv in page.kvs:
            await _next(store, mirror, kv)
        count += len(page.kvs)
        if not page.more:
            break
    return count


async def _first(store: Store, mirror: Mirror) -> bool:
    stored_tip = (await store.snapshot([Key(keys.CHECKPOINT_TIP)])).answers[0]
    if not stored_tip:
        return False
    tip = CheckpointTip.decode(stored_tip[0].value)
    stored = (await store.snapshot([Key(keys.checkpoint(tip.seq))])).answers[0]
    if not stored or hash_of(stored[0].value) != tip.hash:
        raise ChainBroken(f"Checkpoint {tip.seq}, the last one, is missing or was changed.")
    checkpoint = checkpoint_at(tip.seq, stored[0].value)
    registry = await read_registry(store)
    key_id = checkpoint.key_id
    check_signature(
        checkpoint, stored[0], registry.keys.get(key_id), registry.written.get(key_id, 0)
    )
    for record in registry.keys.values():
        if record.may(Purpose.CHECKPOINT):
            mirror.trust(record.public)
    await _keep(mirror, checkpoint, stored[0])
    return True


async def _next(store: Store, mirror: Mirror, kv: KV) -> None:
    last = mirror.last
    seq = last.seq + 1 if last else 0
    if last is None or kv.key != keys.checkpoint(seq):
        raise ChainBroken(f"Checkpoint {seq} is missing.", checkpoint=str(seq))
    checkpoint = checkpoint_at(seq, kv.value)
    if checkpoint.prev != last.hash:
        msg = f"Checkpoint {seq} does not follow the mirrored one before it."
        raise ChainBroken(msg, checkpoint=str(seq))
    key = mirror.trusted(checkpoint.key_id)
    if key is None:
        msg = (
            f"Checkpoint {seq} is signed by key {checkpoint.key_id}, which no mirrored checkpoint "
            "covers. If it is yours, add its line to `trusted-keys` of the mirror."
        )
        raise BadSignature(msg, checkpoint=str(seq), key_id=checkpoint.key_id)
    if not signature_verifies(kv.value, key):
        msg = f"The signature of checkpoint {seq} does not verify."
        raise BadSignature(msg, checkpoint=str(seq), key_id=checkpoint.key_id)
    await _learn_keys(store, mirror, checkpoint)
    await _keep(mirror, checkpoint, kv)


async def _learn_keys(store: Store, mirror: Mirror, checkpoint: Checkpoint) -> None:
    """Trust the keys that a trusted checkpoint covers, and no longer those it shows revoked."""
    if not checkpoint.keys:
        return
    covered = tuple(checkpoint.keys.items())
    found = (await store.snapshot([Key(keys.key(key_id)) for key_id, _ in covered])).answers
    for (key_id, digest), answer in zip(covered, found, strict=True):
        if not answer or sha256_hex(answer[0].value) != digest:
            # Changed again since: a later checkpoint covers what it is now.
            continue
        record = key_at(answer[0])
        if record.may(Purpose.CHECKPOINT):
            mirror.trust(record.public)
        else:
            mirror.distrust(key_id)


async def _keep(mirror: Mirror, checkpoint: Checkpoint, kv: KV) -> None:
    writing = asyncio.create_task(asyncio.to_thread(mirror.append, checkpoint, kv.value))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        # The thread goes on in any case, and the file must not be closed under it.
        await asyncio.wait([writing])
        raise
    mirror.witness = unchanged(kv.key, kv.mod_revision)
